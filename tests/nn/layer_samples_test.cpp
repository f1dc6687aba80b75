// Layers and losses, with gradients of inputs and weights, against data/layer_samples.json.
#include "layer_sample_testing.h"

namespace tenon::nn {
namespace {

using samples::difference;
using samples::read_tensor;

class Samples : public testing::TestWithParam<const char*> {};

TEST_P(Samples, LayersAgreeWithPyTorch) {
  Session session(GetParam());
  Expected all;
  std::set<std::string> kinds;
  const Json samples = samples::read_samples("layer_samples.json");
  for (const Json& sample : samples.at("layers")) {
    kinds.insert(sample.at("layer").get<std::string>());
    add_layer(all, session, sample);
  }
  all.check(session);
  EXPECT_EQ(kinds.size(), 9u);
}

TEST_P(Samples, LossesAgreeWithPyTorch) {
  Session session(GetParam());
  Expected all;
  std::set<std::string> names;
  const Json samples = samples::read_samples("layer_samples.json");
  for (const Json& sample : samples.at("losses")) {
    names.insert(sample.at("loss").get<std::string>());
    add_loss(all, sample);
  }
  all.check(session);
  EXPECT_EQ(names.size(), 7u);
}

TEST_P(Samples, BatchNormAgreesWithPyTorchOverThreeSteps) {
  const Json samples = samples::read_samples("layer_samples.json");
  for (const Json& sample : samples.at("batch_norm")) {
    Session session(GetParam());
    BatchNorm norm{.momentum = 0.8, .epsilon = 1e-3};
    bool is_first = true;
    for (const Json& step : sample.at("steps")) {
      Expected all;
      Context context(Mode::training);
      const Tensor x = all.feed(step.at("input"));
      const Tensor y = norm(x, context);
      if (std::exchange(is_first, false)) {
        session.write(norm.scale, read_tensor(sample.at("scale")));
        session.write(norm.offset, read_tensor(sample.at("offset")));
      }
      all.add(y, step.at("output"), "output");
      const Tensor total = sum(y * Tensor(read_tensor(step.at("cotangent"))));
      const std::vector<Tensor> g =
          grad(total, std::array{x, Tensor(norm.scale), Tensor(norm.offset)});
      for (std::size_t i = 0; i < g.size(); ++i)
        all.add(g[i], step.at("gradients").at(i), fmt::format("gradient {}", i));
      const std::vector<HostTensor> found = session.run(all.fetches, all.feeds, context.updates());
      for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_EQ(difference(found[i], all.values[i], kTolerance), "") << all.labels[i];
      EXPECT_EQ(difference(session.read(norm.mean), read_tensor(step.at("mean")), kTolerance), "");
      EXPECT_EQ(
          difference(session.read(norm.variance), read_tensor(step.at("variance")), kTolerance),
          "");
    }
    Expected inference;
    Context context(Mode::inference);
    inference.add(norm(inference.feed(sample.at("inference_input")), context),
                  sample.at("inference_output"), "inference");
    EXPECT_TRUE(context.updates().empty());
    inference.check(session);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, Samples, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace tenon::nn
