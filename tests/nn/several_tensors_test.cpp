// The module with several inputs and outputs that docs/layers.md shows.
#include <filesystem>

#include "layer_testing.h"
#include "tenon/io/safetensors.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/optimizer.h"

namespace tenon {
namespace {

// Two inputs, numbers [batch, 4] and the ids of words [batch, time]; two outputs from what they
// share.
struct Listing {
  nn::Layer of_numbers = nn::Dense{8, nn::tanh};
  nn::Layer of_words = nn::Sequential{nn::Embedding{20, 8}, nn::GlobalAvgPool1D{}};
  nn::Layer category = nn::Dense{3};
  nn::Layer price = nn::Dense{1};

  struct Outputs {
    Tensor logits;  // [batch, 3]
    Tensor price;   // [batch, 1]
  };
  Outputs operator()(const Tensor& numbers, const Tensor& words, nn::Context& context) const {
    const Tensor shared =
        concatenate(std::array{of_numbers(numbers, context), of_words(words, context)}, -1);
    return {category(shared, context), price(shared, context)};
  }
};

// Labels depend on the words alone, prices on the numbers alone.
struct Listings {
  static constexpr std::size_t kCount = 24, kNumbers = 4, kWords = 3;
  HostTensor numbers{TensorType{DType::f32, {kCount, kNumbers}}};
  HostTensor words{TensorType{DType::i32, {kCount, kWords}}};
  HostTensor labels{TensorType{DType::i32, {kCount}}};
  HostTensor prices{TensorType{DType::f32, {kCount, 1}}};

  Listings() {
    for (std::size_t i = 0; i < kCount; ++i) {
      const auto label = static_cast<std::int32_t>(i * 5 % 3);
      labels.as<std::int32_t>()[i] = label;
      for (std::size_t k = 0; k < kWords; ++k)
        words.as<std::int32_t>()[i * kWords + k] =
            label + 3 * static_cast<std::int32_t>((i + k) % 6);
      float total = 0;
      for (std::size_t k = 0; k < kNumbers; ++k) {
        const float number = static_cast<float>((i * 7 + k * 3) % 11) / 11 - 0.5f;
        numbers.as<float>()[i * kNumbers + k] = number;
        total += number;
      }
      prices.as<float>()[i] = total;
    }
  }
};

class SeveralTensors : public testing::TestWithParam<const char*> {};

TEST_P(SeveralTensors, BothOutputsLearnFromTheirInput) {
  const Listing model;
  const optim::Optimizer optimizer = optim::Adam{.learning_rate = 0.02};
  Session session(GetParam(), {.seed = 1});
  const auto step = [&](Tensor numbers, Tensor words, Tensor labels, Tensor prices) -> StepResult {
    nn::Context context(nn::Mode::training);
    const Listing::Outputs outputs = model(numbers, words, context);
    const nn::WeightedSum of_category =
        nn::sparse_categorical_cross_entropy_from_logits.apply(outputs.logits, labels, {});
    const nn::WeightedSum of_price = nn::mean_squared_error.apply(outputs.price, prices, {});
    const Tensor first = of_category.sum / of_category.weight;
    const Tensor second = of_price.sum / of_price.weight;
    return {{first, second}, context.minimize(first + 0.5 * second, optimizer)};
  };
  auto train = session.function(step);
  const Listings data;
  std::vector<double> at_first, last;
  for (int i = 0; i < 150; ++i) {
    last.clear();
    for (const HostTensor& loss : train({data.numbers, data.words, data.labels, data.prices}))
      last.push_back(element_as_double(loss, 0));
    if (i == 0) at_first = last;
  }
  ASSERT_EQ(last.size(), 2u);
  EXPECT_LT(last[0], 0.1 * at_first[0]);
  EXPECT_LT(last[1], 0.1 * at_first[1]);
}

TEST(ListingModule, WeightsAreNamedInTheOrderOfTheCalls) {
  nn::Context context(nn::Mode::inference);
  const Listing model;
  model(placeholder("numbers", {DType::f32, {2, 4}}), placeholder("words", {DType::i32, {2, 3}}),
        context);
  EXPECT_EQ(nn::names_of(context.variables()),
            (std::vector<std::string>{"dense/kernel", "dense/bias", "sequential/embedding/table",
                                      "dense_1/kernel", "dense_1/bias", "dense_2/kernel",
                                      "dense_2/bias"}));
}

TEST(ListingModule, IsSavedByWhatTheContextMet) {
  const Listing model;
  Session session("reference", {.seed = 1}), other("reference", {.seed = 2});
  const std::string file = testing::TempDir() + "tenon_listing.safetensors";
  nn::Context context(nn::Mode::inference);
  model(placeholder("numbers", {DType::f32, {2, 4}}), placeholder("words", {DType::i32, {2, 3}}),
        context);
  io::NamedTensors values;
  for (const Variable& variable : context.variables())
    values.emplace(variable.name(), session.read(variable));
  io::write_safetensors(file, values);

  const io::NamedTensors read = io::read_safetensors(file).tensors;
  for (const Variable& variable : context.variables())
    other.write(variable, read.at(variable.name()));
  EXPECT_EQ(read.size(), 7u);
  std::filesystem::remove(file);
  const Listings data;
  const auto predict = [&](Tensor numbers, Tensor words) -> StepResult {
    nn::Context predicting(nn::Mode::inference);
    const Listing::Outputs outputs = model(numbers, words, predicting);
    return {{outputs.logits, outputs.price}, {}};
  };
  EXPECT_EQ(session.function(predict)({data.numbers, data.words}),
            other.function(predict)({data.numbers, data.words}));
}

INSTANTIATE_TEST_SUITE_P(Devices, SeveralTensors, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace tenon
