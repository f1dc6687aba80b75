// Layers and their gradients against the JSON records of tests/data/layer_sample_writing.py.
#pragma once
#include "layer_testing.h"

namespace tenon::nn {

using Json = nlohmann::json;

inline constexpr double kTolerance = 1e-12;

// Tensors to compute and what they should be.
struct Expected {
  std::vector<Feed> feeds;
  std::vector<Tensor> fetches;
  std::vector<HostTensor> values;
  std::vector<std::string> labels;

  void add(const Tensor& fetch, const Json& value, std::string label) {
    fetches.push_back(fetch);
    values.push_back(samples::read_tensor(value));
    labels.push_back(std::move(label));
  }
  Tensor feed(const Json& value) {
    const HostTensor tensor = samples::read_tensor(value);
    feeds.emplace_back(placeholder(fmt::format("x{}", feeds.size()), tensor.type()), tensor);
    return feeds.back().first;
  }
  void check(Session& session) const {
    const std::vector<HostTensor> found = session.run(fetches, feeds);
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(samples::difference(found[i], values[i], kTolerance), "") << labels[i];
  }
};

// Calls the layer of a record on its inputs, in the order they are given.
using CallLayer = std::function<Tensor(const Layer&, std::span<const Tensor>, Context&)>;

inline Tensor call_on_first(const Layer& layer, std::span<const Tensor> inputs, Context& context) {
  return layer(inputs[0], context);
}

// Adds the output of one record, what it adds to the loss and all of its gradients; writes its
// weights into the session. A record with a key is of training, else it is of inference.
inline void add_layer(Expected& all, Session& session, const Json& sample,
                      const CallLayer& call = call_on_first) {
  const std::string label =
      sample.at("layer").get<std::string>() + " " + sample.at("attributes").dump();
  const Layer layer = make_layer(sample.at("layer").get<std::string>());
  AttributeReader reader(sample.at("attributes"));
  layer.fields(reader);
  const bool has_one = sample.contains("input");
  const Json inputs = has_one ? Json::array({sample.at("input")}) : sample.at("inputs");
  const Json input_gradients =
      has_one ? Json::array({sample.at("input_gradient")}) : sample.at("input_gradients");
  std::vector<Tensor> xs;
  for (const Json& input : inputs) xs.push_back(all.feed(input));
  const bool trains = sample.contains("key");
  Context context(trains ? Mode::training : Mode::inference,
                  trains ? all.feed(sample.at("key")) : Tensor(), DType::f64);
  const Tensor y = call(layer, xs, context);
  all.add(y, sample.at("output"), label + " output");
  Tensor total = sum(y * Tensor(samples::read_tensor(sample.at("cotangent"))));
  EXPECT_EQ(context.losses().empty(), !sample.contains("added_loss")) << label;
  if (!context.losses().empty()) {
    const Tensor added = context.total_loss(tenon::zeros({}, DType::f64));
    all.add(added, sample.at("added_loss"), label + " added loss");
    total = total + added;
  }

  const Json& weights = sample.at("weights");
  ASSERT_EQ(context.variables().size(), weights.size()) << label;
  std::vector<Tensor> wrt;
  std::vector<std::pair<Json, std::string>> expected;
  for (const Variable& variable : context.variables()) {
    ASSERT_TRUE(weights.contains(variable.name())) << label << " " << variable.name();
    session.write(variable, samples::read_tensor(weights.at(variable.name())));
    wrt.push_back(Tensor(variable));
    expected.emplace_back(sample.at("weight_gradients").at(variable.name()),
                          label + " gradient of " + variable.name());
  }
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (input_gradients[i].is_null()) continue;
    wrt.push_back(xs[i]);
    expected.emplace_back(input_gradients[i], fmt::format("{} gradient of input {}", label, i));
  }
  if (wrt.empty()) return;
  const std::vector<Tensor> gradients = grad(total, wrt);
  for (std::size_t i = 0; i < gradients.size(); ++i)
    all.add(gradients[i], expected[i].first, expected[i].second);
}

// Adds the sums of one record of a loss and its gradient.
inline void add_loss(Expected& all, const Json& sample) {
  const std::string label = sample.at("loss").get<std::string>() + " of " +
                            sample.at("prediction").dump() + sample.at("target").dump();
  const Tensor prediction = all.feed(sample.at("prediction"));
  const Tensor target = all.feed(sample.at("target"));
  const Json& weight = sample.at("sample_weight");
  const WeightedSum value =
      find_loss(sample.at("loss").get<std::string>())
          .apply(prediction, target, weight.is_null() ? Tensor() : all.feed(weight));
  all.add(value.sum, sample.at("sum"), label + " sum");
  all.add(value.weight, sample.at("weight"), label + " weight");
  all.add(grad(value.sum, prediction), sample.at("gradient"), label + " gradient");
}

}  // namespace tenon::nn
