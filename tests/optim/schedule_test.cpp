// Schedules against PyTorch, and where their formulas are not what PyTorch does.
#include "tenon/optim/schedule.h"

#include "../data/sample_reading.h"
#include "../tensor/tensor_testing.h"

namespace tenon::optim {
namespace {

using Json = nlohmann::json;

class ScheduleFieldReader final : public ScheduleVisitor {
 public:
  explicit ScheduleFieldReader(const Json& json) : json_(json) {}
  void operator()(std::string_view name, double& value, Range) override {
    value = json_.at(std::string(name)).get<double>();
  }
  void operator()(std::string_view name, std::int64_t& value, std::int64_t) override {
    value = json_.at(std::string(name)).get<std::int64_t>();
  }

 private:
  const Json& json_;
};

TEST(Schedule, RatesAreThoseOfPyTorch) {
  const Json all = samples::read_samples("optimizer_samples.json").at("schedules");
  for (const ScheduleKind& kind : schedule_kinds()) {
    EXPECT_TRUE(std::ranges::any_of(all, [&](const Json& sample) {
      return sample.at("schedule").get<std::string>() == kind.kind;
    })) << kind.kind;
  }
  for (const Json& sample : all) {
    const Schedule schedule = make_schedule(sample.at("schedule").get<std::string>(),
                                            sample.at("warmup_steps").get<std::int64_t>());
    ScheduleFieldReader reader(sample.at("attributes"));
    schedule.fields(reader);
    std::int64_t step = 0;
    for (const Json& rate : sample.at("rates")) {
      EXPECT_NEAR(schedule.rate(step, 0.4), rate.get<double>(), 1e-12)
          << sample.at("schedule") << sample.at("attributes") << sample.at("warmup_steps")
          << " step " << step;
      ++step;
    }
  }
}

TEST(Schedule, StaysAtItsEnd) {
  constexpr std::int64_t kFar = std::int64_t{1} << 62;
  EXPECT_EQ(Schedule(Cosine{.steps = 4, .end = 0.25}).rate(kFar, 2), 0.5);
  EXPECT_EQ(Schedule(Polynomial{.steps = 4, .end = 0.25}).rate(kFar, 2), 0.5);
  EXPECT_EQ(Schedule(OneCycle{.steps = 4, .start_divisor = 2, .end_divisor = 4}).rate(kFar, 2),
            0.25);
  EXPECT_EQ(Schedule(OneCycle{.steps = 1, .start_divisor = 2, .end_divisor = 4}).rate(0, 2), 0.25);
  const double late = Schedule(Cosine{.steps = 3, .cycle_growth = 3}).rate(kFar, 2);
  EXPECT_TRUE(late >= 0 && late <= 2) << late;
}

TEST(Schedule, WarmUpRisesToTheWholeRate) {
  const Schedule schedule(Constant{}, 4);
  std::vector<double> rates;
  for (int step = 0; step < 6; ++step) rates.push_back(schedule.rate(step, 2));
  EXPECT_EQ(rates, (std::vector<double>{0.5, 1, 1.5, 2, 2, 2}));
  EXPECT_FALSE(schedule.is_constant());
  EXPECT_TRUE(Schedule().is_constant());
}

struct Halves {
  static constexpr std::string_view kKind = "halves";
  double factor(std::int64_t t) const { return t % 2 == 0 ? 1 : 0.5; }
  void fields(ScheduleVisitor&) {}
};

TEST(Schedule, OneOfMyOwn) { EXPECT_EQ(Schedule(Halves{}).rate(3, 1), 0.5); }

TEST(Schedule, Errors) {
  EXPECT_EQ(error_of([] { Schedule(Cosine{.steps = 0}); }),
            "schedule cosine: steps must be 1 or more, got 0");
  EXPECT_EQ(error_of([] { Schedule(StepDecay{.reduction = 0}); }),
            "schedule step: reduction must be finite and above 0, got 0");
  EXPECT_EQ(error_of([] { Schedule(Constant{}, -1); }),
            "schedule constant: warmup_steps must be 0 or more, got -1");
  EXPECT_EQ(error_of([] { make_schedule("cosin"); }),
            "unknown schedule \"cosin\"; known: constant, step, exponential, polynomial, cosine, "
            "one_cycle; did you mean \"cosine\"?");
}

}  // namespace
}  // namespace tenon::optim
