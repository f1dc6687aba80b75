#include "tenon/train/nan_guard.h"

#include <cmath>

#include "tenon/tensor/functions.h"
#include "train_testing.h"

namespace tenon {
namespace {

// A function of its input as a layer.
struct Applied {
  static constexpr std::string_view kKind = "applied";
  std::function<Tensor(const Tensor&)> function = [](const Tensor& x) { return x; };
  Tensor operator()(const Tensor& x, nn::Context&) { return function(x); }
  void fields(nn::FieldVisitor&) {}
};

// blobs whose row 17 has another first feature.
data::Dataset with_value(float value) {
  HostTensor x = blobs(24).x().tensor();
  x.as<float>()[2 * 17] = value;
  return {"blobs", std::move(x), blobs(24).y()};
}

struct GuardedFit {
  NanGuard guard;
  std::string told;
  std::vector<HostTensor> weights;
  std::int64_t steps = 0;
};

// Rows in order, 8 at a time: row 17 comes in step 3.
void run_guarded(GuardedFit& result, nn::Sequential model, const data::Dataset& data,
                 const std::string& device, std::int64_t max_steps = 0) {
  TrainerOptions options = small_options(device);
  options.log = [&](std::string_view line) { result.told += line; };
  Trainer trainer(std::move(model), options);
  FitOptions fit{.epochs = 2, .batch_size = 8, .shuffle = false, .max_steps = max_steps};
  fit.callbacks = {&result.guard};
  result.steps = trainer.fit(data, fit).steps;
  for (const Variable& weight : trainer.weights())
    result.weights.push_back(trainer.session().read(weight));
}

void expect_lines(const std::string& text, const std::vector<std::string>& lines) {
  std::size_t at = 0;
  for (const std::string& line : lines) {
    const std::size_t found = text.find(line, at);
    EXPECT_NE(found, std::string::npos) << line << "\nnot in\n" << text;
    at = found == std::string::npos ? at : found;
  }
}

TEST(NanGuard, NamesTheOpAndTheLayerThatMadeTheFirstNan) {
  for (const std::string& device : tested_devices()) {
    const auto model = [] {
      return nn::Sequential{Applied{[](const Tensor& x) { return log(x + 1); }},
                            nn::Dense{8, nn::relu}, nn::Dense{3}};
    };
    GuardedFit found, before;
    run_guarded(found, model(), with_value(-5), device);
    expect_lines(found.guard.finding(),
                 {"step 3 (epoch 1): the loss is NaN", "NaN made by log in \"applied\" (",
                  "nan_guard_test.cpp:", "operand  f32[8,2]: from -4 to ",
                  "result   f32[8,2]: 1 NaN of 16, from "});
    EXPECT_NE(found.told.find(found.guard.finding()), std::string::npos);
    EXPECT_EQ(found.steps, 3);
    // The state before the step is put back.
    run_guarded(before, model(), with_value(-5), device, 2);
    EXPECT_EQ(before.guard.finding(), "");
    EXPECT_EQ(found.weights, before.weights) << device;
  }
}

TEST(NanGuard, FindsWhatIsOnlyInTheGradient) {
  GuardedFit found;
  // The loss is finite; the derivative of the root at 0 is infinite, and times 0 no number.
  run_guarded(found,
              {nn::Dense{.units = 3, .activation = nn::relu, .bias_initializer = nn::ones},
               Applied{[](const Tensor& x) { return sqrt(x * 0.0f) + x; }}},
              blobs(24), "reference");
  expect_lines(found.guard.finding(),
               {"step 1 (epoch 1): after the update \"dense/kernel\" is not finite: ", "made by ",
                "in the loss, its gradient or the update", "operand"});
  for (const HostTensor& weight : found.weights)
    for (std::int64_t i = 0; i < weight.size(); ++i)
      EXPECT_TRUE(std::isfinite(element_as_double(weight, i)));
}

TEST(NanGuard, ANanOfInfinitiesIsFollowedToTheOverflow) {
  GuardedFit found;
  run_guarded(found,
              {Applied{[](const Tensor& x) {
                 const Tensor large = exp(x);
                 return (large - large * 2) * 1e-3f;
               }},
               nn::Dense{3}},
              with_value(500), "reference");
  expect_lines(found.guard.finding(), {"step 3 (epoch 1): the loss is NaN",
                                       "an infinity made by exp on the way to \"applied\"",
                                       "operand  f32[8,2] \"x\": from ", "to 500"});
}

TEST(NanGuard, SaysThatTheDataHasIt) {
  GuardedFit found;
  run_guarded(found, small_model(), with_value(NAN), "reference");
  expect_lines(found.guard.finding(),
               {"step 3 (epoch 1): the loss is NaN", "it is there already in \"x\": 1 NaN of 16"});
}

TEST(NanGuard, LeavesASoundFitAlone) {
  for (const std::string& device : tested_devices()) {
    const auto fit = [&](std::vector<CallbackHandle> callbacks) {
      Trainer trainer(model_with_state(), small_options(device));
      FitOptions options{.epochs = 2, .batch_size = 7};
      options.callbacks = std::move(callbacks);
      EXPECT_FALSE(trainer.fit(blobs(24), options).stopped);
      return trainer.predict(blobs(5).x());
    };
    NanGuard guard;
    EXPECT_EQ(fit({&guard}), fit({})) << device;
    EXPECT_EQ(guard.finding(), "");
  }
}

}  // namespace
}  // namespace tenon
