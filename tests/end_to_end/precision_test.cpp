// Narrow precisions over whole steps: PyTorch's autocast, other backends, threads, and training.
#include <cmath>
#include <map>

#include "tenon/base/threefry.h"
#include "tenon/models/language.h"
#include "tenon/models/models.h"
#include "tenon/nn/context.h"
#include "tenon/nn/loss.h"
#include "tenon/optim/adam.h"
#include "tenon/session/session.h"
#include "tenon/tensor/functions.h"
#include "tests/data/sample_reading.h"

#include <gtest/gtest.h>

namespace tenon {
namespace {

using Json = nlohmann::json;
using Tensors = std::map<std::string, Tensor>;

// The networks of data/make_precision_samples.py: the loss.
Tensor mean_cross_entropy(const Tensor& logits, const Tensor& labels) {
  return mean(sparse_cross_entropy_with_logits(logits, labels));
}

Tensor layer(const Tensor& x, Tensors& w, const std::string& index) {
  return matmul(x, w["kernel_" + index]) + w["bias_" + index];
}

Tensor mean_squared_error(const Tensor& y, const Tensor& target) {
  return mean(square(y - target));
}

Tensor product(Tensors& x, Tensors& w) {
  return mean_squared_error(matmul(x["x"], w["kernel"]), x["target"]);
}

Tensor one_convolution(Tensors& x, Tensors& w) {
  const Tensor y = convolution(x["x"], w["kernel"], {.padding = Padding::same});
  return mean_squared_error(y, x["target"]);
}

Tensor three_layers(Tensors& x, Tensors& w) {
  const Tensor h = relu(layer(relu(layer(x["x"], w, "0")), w, "1"));
  return mean_cross_entropy(layer(h, w, "2"), x["labels"]);
}

Tensor small_lenet(Tensors& x, Tensors& w) {
  Tensor h = convolution(x["x"], w["kernel_0"], {.padding = Padding::same});
  h = max_pool(relu(convolution(max_pool(relu(h)), w["kernel_1"])));
  h = relu(layer(reshape(h, {h.extent(0), -1}), w, "2"));
  return mean_cross_entropy(layer(h, w, "3"), x["labels"]);
}

Tensor transformer_block(Tensors& x, Tensors& w) {
  const Tensor h = layer_norm(x["x"], w["scale"], w["offset"]);
  const auto split = [&](const std::string& name) {
    return transpose(reshape(matmul(h, w[name]), {2, 8, 2, 8}), {0, 2, 1, 3});
  };
  Tensor y = attention(split("query"), split("key"), split("value"), true);
  y = x["x"] + matmul(reshape(transpose(y, {0, 2, 1, 3}), {2, 8, 16}), w["out"]);
  return mean_squared_error(matmul(gelu(matmul(y, w["up"])), w["down"]), x["target"]);
}

using Network = Tensor (*)(Tensors&, Tensors&);
const std::map<std::string, Network> kNetworks = {{"product", product},
                                                  {"convolution", one_convolution},
                                                  {"mlp", three_layers},
                                                  {"lenet", small_lenet},
                                                  {"attention", transformer_block}};

// The loss, then the gradients of the weights by name.
using Results = std::map<std::string, std::vector<double>>;

std::vector<double> elements(const HostTensor& tensor) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < tensor.size(); ++i) all.push_back(element_as_double(tensor, i));
  return all;
}

Results run_network(const std::string& device, PrecisionPolicy precision, const Json& sample) {
  Session session(device);
  Tensors inputs, weights;
  std::vector<Tensor> placeholders, wrt;
  std::vector<HostTensor> fed;
  for (const auto& [name, value] : sample.at("inputs").items()) {
    fed.push_back(samples::read_tensor(value));
    placeholders.push_back(inputs[name] = placeholder(name, fed.back().type()));
  }
  std::vector<std::string> names = {"loss"};
  for (const auto& [name, value] : sample.at("weights").items()) {
    wrt.push_back(weights[name] = Tensor(Variable(samples::read_tensor(value), name)));
    names.push_back(name);
  }
  const Network network = kNetworks.at(sample.at("network").get<std::string>());
  std::vector<Tensor> fetches = {network(inputs, weights)};
  for (const Tensor& gradient : grad(fetches[0], wrt)) fetches.push_back(gradient);
  const std::vector<HostView> views(fed.begin(), fed.end());
  const std::vector<HostTensor> found =
      session.compile(placeholders, {fetches, {}}, {.precision = precision}).run(views);
  Results results;
  for (std::size_t i = 0; i < names.size(); ++i) results[names[i]] = elements(found[i]);
  return results;
}

Results results_of(const Json& loss, const Json& gradients) {
  Results results{{"loss", {loss.get<double>()}}};
  for (const auto& [name, value] : gradients.items())
    results[name] = elements(samples::read_tensor(value));
  return results;
}

// The Euclidean norm of a - b beside that of b.
double relative_error(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

constexpr double kEpsilon = 0x1p-8;  // of bf16, rounded to nearest: half of 2^-7

class Autocast : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Devices, Autocast, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

// No farther from the exact values than PyTorch's autocast is, but for where a rounding falls.
TEST_P(Autocast, IsAsNearToTheExactValuesAsPyTorch) {
  const Json all = samples::read_samples("precision_samples.json");
  EXPECT_EQ(all.at("networks").size(), kNetworks.size());
  for (const Json& sample : all.at("networks")) {
    const Results exact = results_of(sample.at("exact_loss"), sample.at("exact_gradients"));
    const Results torch = results_of(sample.at("loss"), sample.at("gradients"));
    const Results found = run_network(GetParam(), PrecisionPolicy::bf16, sample);
    ASSERT_EQ(found.size(), exact.size());
    for (const auto& [name, values] : found) {
      const std::string what = sample.at("network").get<std::string>() + " " + name;
      const double own = relative_error(values, exact.at(name));
      const double theirs = relative_error(torch.at(name), exact.at(name));
      EXPECT_LT(own, 1.5 * theirs + kEpsilon / 2) << what;
    }
    // And it is bf16 that was asked for.
    const Results plain = run_network(GetParam(), PrecisionPolicy::f32, sample);
    for (const auto& [name, values] : plain)
      EXPECT_LT(relative_error(values, exact.at(name)), 1e-5) << name;
    EXPECT_NE(plain, found);
  }
}

TEST(Precision, BackendsAgreeUnderEachPolicy) {
  const Json all = samples::read_samples("precision_samples.json");
  for (const PrecisionPolicy precision : {PrecisionPolicy::bf16, PrecisionPolicy::fp16}) {
    const double epsilon = precision == PrecisionPolicy::bf16 ? kEpsilon : 0x1p-11;
    for (const Json& sample : all.at("networks")) {
      const Results judge = run_network("reference", precision, sample);
      // They add in another order, so that now and then a sum rounds to the other side.
      for (const auto& [name, values] : run_network("cpu", precision, sample))
        EXPECT_LT(relative_error(values, judge.at(name)), epsilon)
            << sample.at("network") << " " << name;
    }
  }
}

// Noisy pictures of ten templates, one label in four wrong, so that the loss keeps above zero.
struct Pictures {
  HostTensor x, y;
  Pictures(ThreefrySequence& random, std::int64_t batch)
      : x({DType::u8, {batch, 16, 16}}), y({DType::i32, {batch}}) {
    const auto pixels = x.as<std::uint8_t>();
    for (std::int64_t i = 0; i < batch; ++i) {
      const auto label = static_cast<std::int64_t>(random.below(10));
      for (std::int64_t k = 0; k < 256; ++k) {
        const bool is_set = (k / 16 * (label + 1) + k % 16 * (label * label % 7 + 1)) % 11 < 4;
        pixels[static_cast<std::size_t>(256 * i + k)] =
            static_cast<std::uint8_t>(random.below(96) + (is_set ? 96 : 0));
      }
      const bool is_wrong = random.below(4) == 0;
      y.as<std::int32_t>()[static_cast<std::size_t>(i)] =
          static_cast<std::int32_t>(is_wrong ? random.below(10) : label);
    }
  }
};

struct LenetRun {
  double last_loss = 0;             // mean of the last steps
  std::vector<HostTensor> weights;  // at the end
  double skipped = 0;
};

struct LenetRunOptions {
  PrecisionPolicy precision = PrecisionPolicy::f32;
  int threads = 1;
  int steps = 800;
  double loss_scale = 0;
};

LenetRun train_lenet(const LenetRunOptions& options) {
  constexpr std::int64_t kBatch = 48;
  const nn::Layer model =
      models::lenet(10, {.filters = {6, 12}, .hidden = {48}, .image = {16, 16}});
  Session session("cpu", {.threads = options.threads, .seed = 6});
  const Tensor x = placeholder("x", {DType::u8, {kBatch, 16, 16}});
  const Tensor y = placeholder("y", {DType::i32, {kBatch}});
  nn::Context context(nn::Mode::training);
  const Tensor prediction = model.call_as_root(cast(x, DType::f32) / 255.0f, context);
  const Tensor loss = mean_cross_entropy(prediction, y);
  const optim::Optimizer adam(optim::Adam{.learning_rate = 2e-3},
                              {.loss_scale = {.initial = options.loss_scale, .interval = 50}});
  CompiledStep step = session.compile(std::array{x, y}, {{loss}, context.minimize(loss, adam)},
                                      {.precision = options.precision});
  ThreefrySequence random{11};
  LenetRun run;
  constexpr int kLast = 200;
  for (int i = 0; i < options.steps; ++i) {
    session.write(adam.learning_rate(), make_scalar(2e-3 * (options.steps - i) / options.steps));
    const Pictures batch(random, kBatch);
    const double now =
        element_as_double(step.run(std::array{HostView(batch.x), HostView(batch.y)})[0], 0);
    if (i >= options.steps - kLast) run.last_loss += now / kLast;
  }
  for (const Variable& weight : context.variables()) run.weights.push_back(session.read(weight));
  if (options.loss_scale > 0)
    run.skipped = element_as_double(session.read(adam.skipped_steps()), 0);
  return run;
}

// Runs in f32 from other weights scatter by more than runs of other precisions from the same ones.
TEST(Precision, LenetTrainsAsInF32) {
  const LenetRun plain = train_lenet({});
  EXPECT_LT(plain.last_loss, 1.3);  // of 2.3 at the start
  const LenetRun bf16 = train_lenet({.precision = PrecisionPolicy::bf16});
  EXPECT_NE(bf16.weights, plain.weights);
  EXPECT_NEAR(bf16.last_loss, plain.last_loss, 0.01 * plain.last_loss);
  // A scale too large for fp16 falls until the gradients fit.
  const LenetRun fp16 = train_lenet({.precision = PrecisionPolicy::fp16, .loss_scale = 0x1p24});
  EXPECT_GT(fp16.skipped, 0);
  EXPECT_NEAR(fp16.last_loss, plain.last_loss, 0.01 * plain.last_loss);
}

TEST(Precision, BitsDoNotDependOnThreads) {
  for (const PrecisionPolicy precision : {PrecisionPolicy::bf16, PrecisionPolicy::fp16}) {
    LenetRunOptions options{.precision = precision, .steps = 20, .loss_scale = 1024};
    const LenetRun one = train_lenet(options);
    for (const int threads : {2, 3, 7, 16}) {
      options.threads = threads;
      EXPECT_EQ(train_lenet(options).weights, one.weights) << threads << " threads";
    }
  }
}

TEST(Precision, GptTrainsAsInF32) {
  // Each character follows from the one before it, with some noise.
  constexpr std::int64_t kBatch = 16, kLength = 12, kCharacters = 11;
  const auto train = [&](PrecisionPolicy precision) {
    const nn::Layer model = models::gpt({.vocabulary = kCharacters,
                                         .context_length = kLength,
                                         .layers = 2,
                                         .heads = 2,
                                         .width = 16,
                                         .dropout = 0});
    Session session("cpu", {.threads = 1, .seed = 3});
    const TensorType type{DType::i32, {kBatch, kLength}};
    const Tensor x = placeholder("x", type), y = placeholder("y", type);
    nn::Context context(nn::Mode::training);
    const Tensor loss = mean_cross_entropy(model.call_as_root(x, context), y);
    const optim::Optimizer adam(optim::Adam{.learning_rate = 1e-2});
    CompiledStep step = session.compile(std::array{x, y}, {{loss}, context.minimize(loss, adam)},
                                        {.precision = precision});
    ThreefrySequence random{13};
    HostTensor ids(type), next(type);
    std::vector<double> losses;
    for (int i = 0; i < 240; ++i) {
      for (std::int64_t row = 0; row < kBatch; ++row) {
        auto character = static_cast<std::int32_t>(random.below(kCharacters));
        for (std::int64_t t = 0; t < kLength; ++t) {
          const auto at = static_cast<std::size_t>(row * kLength + t);
          ids.as<std::int32_t>()[at] = character;
          const bool is_noise = random.below(4) == 0;
          character = is_noise ? static_cast<std::int32_t>(random.below(kCharacters))
                               : (3 * character + 4) % static_cast<std::int32_t>(kCharacters);
          next.as<std::int32_t>()[at] = character;
        }
      }
      losses.push_back(
          element_as_double(step.run(std::array{HostView(ids), HostView(next)})[0], 0));
    }
    double last = 0;
    for (std::size_t i = losses.size() - 60; i < losses.size(); ++i) last += losses[i] / 60;
    EXPECT_LT(last, 0.7 * losses[0]);
    return last;
  };
  const double plain = train(PrecisionPolicy::f32);
  const double bf16 = train(PrecisionPolicy::bf16);
  EXPECT_NE(bf16, plain);
  EXPECT_NEAR(bf16, plain, 0.01 * plain);
}

}  // namespace
}  // namespace tenon
