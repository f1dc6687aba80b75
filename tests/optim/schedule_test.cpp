// Schedules against PyTorch, and where their formulas are not what PyTorch does.
#include "tenon/optim/plateau.h"

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

TEST(Plateau, RatesAreThoseOfPyTorch) {
  const Json all = samples::read_samples("optimizer_samples.json").at("plateaus");
  EXPECT_EQ(all.size(), 6u);
  for (const Json& sample : all) {
    Schedule schedule = make_schedule("plateau");
    ScheduleFieldReader reader(sample.at("attributes"));
    schedule.fields(reader);
    ASSERT_TRUE(schedule.is_observing());
    for (std::size_t i = 0; i < sample.at("observed").size(); ++i) {
      // Where it stands survives a checkpoint.
      Schedule again = make_schedule("plateau");
      again.fields(reader);
      again.restore(schedule.state());
      schedule = again;
      schedule.observe(std::stod(sample.at("observed")[i].get<std::string>()));
      EXPECT_NEAR(schedule.rate(7, 0.4), sample.at("rates")[i].get<double>(), 1e-12)
          << sample.at("attributes") << " value " << i;
    }
  }
}

TEST(Plateau, CopiesShareAndClonesDoNot) {
  Schedule first = Plateau{.reduction = 0.5, .patience = 0};
  Schedule shared = first, own = first.clone();
  first.observe(1);
  first.observe(1);
  EXPECT_EQ(shared.rate(0, 1), 0.5);
  EXPECT_EQ(own.rate(0, 1), 1);
  EXPECT_FALSE(first.is_constant());
  Schedule cosine = Cosine{};
  cosine.observe(3);
  EXPECT_FALSE(cosine.is_observing());
  EXPECT_TRUE(cosine.state().empty());
}

TEST(Plateau, HostileStatesAreRefused) {
  const double inf = INFINITY;
  for (const std::vector<double>& state : {std::vector<double>{},
                                           {1, 0, 0},
                                           {2, 0, 0, 0},
                                           {NAN, 0, 0, 0},
                                           {1, NAN, 0, 0},
                                           {1, 0, -1, 0},
                                           {1, 0, 0.5, 0},
                                           {1, 0, inf, 0},
                                           {1, 0, 0, 1e300},
                                           {-1, 0, 0, 0}})
    EXPECT_EQ(error_of([&] { Schedule(Plateau{}).restore(state); }),
              "schedule plateau: the state is not one that it was saved with");
  Schedule plateau = Plateau{};
  plateau.restore(std::vector<double>{0.5, inf, 3, 0});
  EXPECT_EQ(plateau.rate(0, 1), 0.5);
  EXPECT_EQ(error_of([] { Schedule().restore(std::vector<double>{1}); }),
            "a schedule that observes nothing has no state, got 1 numbers");
  // Values that are no numbers are never better, and do no harm.
  for (const double value : {-inf, inf, std::nan(""), 0.0, -1e308, 1e308})
    for (int i = 0; i < 20; ++i) plateau.observe(value);
  const double rate = plateau.rate(0, 1);
  EXPECT_TRUE(rate >= 0 && rate <= 0.5) << rate;
}

TEST(Schedule, StaysAtItsEnd) {
  constexpr std::int64_t kFar = std::int64_t{1} << 62;
  EXPECT_EQ(Schedule(Cosine{.steps = 4, .end = 0.25}).rate(kFar, 2), 0.5);
  EXPECT_EQ(Schedule(Polynomial{.steps = 4, .end = 0.25}).rate(kFar, 2), 0.5);
  EXPECT_EQ(Schedule(OneCycle{.steps = 4, .start_divisor = 2, .end_divisor = 4}).rate(kFar, 2),
            0.25);
  EXPECT_EQ(Schedule(OneCycle{.steps = 1, .start_divisor = 2, .end_divisor = 4}).rate(0, 2), 0.25);
  const double cycled = Schedule(Cyclical{.rising_steps = std::int64_t{1} << 62}).rate(kFar, 2);
  EXPECT_TRUE(cycled >= 0 && cycled <= 2) << cycled;
  EXPECT_NEAR(Schedule(InverseSquareRoot{.timescale = 1}).rate(kFar, 2), 2 * 0x1p-31, 1e-15);
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
            "one_cycle, cyclical, inverse_square_root, plateau; did you mean \"cosine\"?");
  EXPECT_EQ(error_of([] { Schedule(Plateau{.reduction = 1}); }),
            "schedule plateau: reduction must be in [0, 1), got 1");
  EXPECT_EQ(error_of([] { Schedule(Plateau{.patience = -1}); }),
            "schedule plateau: patience must be 0 or more, got -1");
  EXPECT_EQ(error_of([] { Schedule(Cyclical{.low = NAN}); }),
            "schedule cyclical: low must be in [0, 1), got nan");
  EXPECT_EQ(error_of([] { Schedule(InverseSquareRoot{.timescale = 0}); }),
            "schedule inverse_square_root: timescale must be 1 or more, got 0");
}

}  // namespace
}  // namespace tenon::optim
