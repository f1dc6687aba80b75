// Probabilities of the next token and draws, against data/sampling_samples.json.
#include "tenon/train/sampling.h"

#include <cmath>
#include <limits>

#include "../data/sample_reading.h"
#include "train_testing.h"

namespace tenon {
namespace {

std::vector<double> numbers_of(const nlohmann::json& list) {
  std::vector<double> numbers;
  for (const nlohmann::json& value : list)
    numbers.push_back(value.is_string() ? -std::numeric_limits<double>::infinity()
                                        : value.get<double>());
  return numbers;
}

TEST(Sampling, AgreesWithPyTorch) {
  const nlohmann::json samples = samples::read_samples("sampling_samples.json");
  for (const nlohmann::json& sample : samples.at("samples")) {
    const std::string label = sample.dump().substr(0, 400);
    const std::vector<double> found =
        sampling_probabilities(numbers_of(sample.at("logits")),
                               {sample.at("temperature"), sample.at("top_k"), sample.at("top_p")});
    const std::vector<double> expected = numbers_of(sample.at("probabilities"));
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-14) << label << i;
      EXPECT_EQ(found[i] == 0, expected[i] == 0) << label << i;
    }
    for (std::size_t i = 0; i < sample.at("units").size(); ++i)
      EXPECT_EQ(draw_index(found, sample.at("units")[i]), sample.at("draws")[i]) << label << i;
  }
  EXPECT_GT(samples.at("samples").size(), 100u);
}

TEST(Sampling, WithoutTemperatureTheFirstOfTheLikeliestIsTaken) {
  EXPECT_EQ(sampling_probabilities(std::vector<double>{1, 3, -2, 3}, {.temperature = 0}),
            (std::vector<double>{0, 1, 0, 0}));
}

TEST(Sampling, OfEqualTokensTopPTakesTheFirst) {
  EXPECT_EQ(sampling_probabilities(std::vector<double>{1, 1, 1, 1}, {.top_p = 0.5}),
            (std::vector<double>{0.5, 0.5, 0, 0}));
}

TEST(Sampling, NumbersAreUniformAndFollowTheSeed) {
  double sum = 0, square = 0;
  constexpr std::uint64_t kCount = 4096;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const double number = uniform_number(7, i);
    ASSERT_GE(number, 0);
    ASSERT_LT(number, 1);
    sum += number;
    square += number * number;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.02);
  EXPECT_NEAR(square / kCount, 1.0 / 3, 0.02);
  EXPECT_NE(uniform_number(7, 0), uniform_number(8, 0));
}

TEST(Sampling, RefusesLogitsThatAreNoNumbers) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto refusal = [](std::vector<double> logits) {
    return error_of([&] { sampling_probabilities(logits, {}); });
  };
  EXPECT_EQ(refusal({}), "there are no logits to choose a token from");
  EXPECT_EQ(
      refusal({1, kInfinity}),
      "the model's logit of token 1 is inf; its weights are damaged, or the training diverged");
  EXPECT_EQ(refusal({-kInfinity, -kInfinity}), "the model's logits are all minus infinity");
  EXPECT_EQ(error_of([] { require_sampling({.temperature = std::nan("")}); }),
            "temperature must be finite and 0 or more, got nan");
  EXPECT_EQ(error_of([] { require_sampling({.top_p = 1.5}); }),
            "top_p must be above 0 and at most 1, got 1.5");
}

}  // namespace
}  // namespace tenon
