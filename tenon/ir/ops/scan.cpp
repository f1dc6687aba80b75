#include "tenon/ir/build.h"
#include "tenon/ir/interpret.h"
#include "tenon/ir/ops/index.h"
#include "tenon/ir/ops/subgraph.h"

namespace tenon::ir {
namespace {

// The type of one step's slice.
TensorType step_type(TensorType type) {
  type.shape.erase(type.shape.begin());
  return type;
}

TensorType stacked_type(TensorType type, std::int64_t length) {
  type.shape.insert(type.shape.begin(), length);
  return checked_result("scan", std::move(type));
}

std::span<std::byte> step_bytes(HostTensor& stacked, std::int64_t length, std::int64_t step) {
  const std::size_t size = stacked.bytes().size() / static_cast<std::size_t>(length);
  return stacked.bytes().subspan(static_cast<std::size_t>(step) * size, size);
}

// The carried values that each step starts from, stacked: one more run of the loop that also
// returns them. A pass merges it with the original.
std::vector<Value> saved_carries(const Scan& op, const GradientInputs& in) {
  if (op.carried == 0) return {};
  std::vector<Value> inputs;
  Builder body = builder_with_inputs_of(*op.body, inputs);
  std::vector<Value> outputs = inline_graph(body, *op.body, inputs);
  outputs.insert(outputs.end(), inputs.begin(), inputs.begin() + op.carried);
  Scan saving = op;
  saving.body = GraphRef(std::move(body).finish(outputs));
  const Value first = in.builder.add(std::move(saving), in.operands);
  std::vector<Value> results = in.builder.results(first);
  return {results.end() - op.carried, results.end()};
}

}  // namespace

TensorTypes infer_types(const Scan& op, OperandTypes types) {
  const auto count = static_cast<std::int64_t>(types.size());
  require(op.length >= 0, "scan: length {} is negative", op.length);
  require(
      op.carried >= 0 && op.scanned >= 0 && op.carried <= count && op.scanned <= count - op.carried,
      "scan: {} carried and {} scanned operands expected, {} operands given", op.carried,
      op.scanned, count);
  TensorTypes inputs(types.begin(), types.end());
  for (std::int64_t i = op.carried; i < op.carried + op.scanned; ++i) {
    TensorType& type = inputs[static_cast<std::size_t>(i)];
    require(type.rank() >= 1 && type.shape[0] == op.length,
            "scan: scanned operand {} is {}; its first extent must be the length {}", i, type,
            op.length);
    type = step_type(std::move(type));
  }
  require_subgraph("scan", "body", op.body, inputs);
  TensorTypes results = output_types(*op.body);
  require(static_cast<std::int64_t>(results.size()) >= op.carried,
          "scan: body has {} outputs for {} carried values", results.size(), op.carried);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (static_cast<std::int64_t>(i) >= op.carried)
      results[i] = stacked_type(std::move(results[i]), op.length);
    else
      require(results[i] == types[i], "scan: carried value {} is {}, body returns {}", i, types[i],
              results[i]);
  }
  return results;
}

HostTensors evaluate(const Scan& op, OperandValues values) {
  const auto carried = static_cast<std::size_t>(op.carried);
  const auto scanned = static_cast<std::size_t>(op.scanned);
  const TensorTypes types = infer_types(op, value_types(values));
  HostTensors inputs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool is_scanned = i >= carried && i < carried + scanned;
    inputs.push_back(is_scanned ? HostTensor(step_type(values[i]->type())) : *values[i]);
  }
  HostTensors results;
  for (std::size_t i = carried; i < types.size(); ++i) results.emplace_back(types[i]);
  for (std::int64_t t = 0; t < op.length; ++t) {
    const std::int64_t step = op.reverse ? op.length - 1 - t : t;
    for (std::size_t i = carried; i < carried + scanned; ++i) {
      const std::size_t size = inputs[i].bytes().size();
      std::ranges::copy(values[i]->bytes().subspan(static_cast<std::size_t>(step) * size, size),
                        inputs[i].bytes().begin());
    }
    HostTensors outputs = interpret(*op.body, std::span<const HostTensor>(inputs));
    for (std::size_t i = 0; i < carried; ++i) inputs[i] = std::move(outputs[i]);
    for (std::size_t i = carried; i < outputs.size(); ++i)
      std::ranges::copy(outputs[i].bytes(),
                        step_bytes(results[i - carried], op.length, step).begin());
  }
  results.insert(results.begin(), std::make_move_iterator(inputs.begin()),
                 std::make_move_iterator(inputs.begin() + op.carried));
  return results;
}

// The loop run the other way. It carries the cotangents of the carried values and the sums of the
// invariants' gradients (in at least f32); each step starts from the carried values saved for it.
Gradients gradient(const Scan& op, const GradientInputs& in) {
  Builder& b = in.builder;
  const auto carried = static_cast<std::size_t>(op.carried);
  const auto invariant = carried + static_cast<std::size_t>(op.scanned);  // the first one
  const std::size_t count = in.operands.size();
  const VectorJacobian jacobian = in.differentiate(*op.body);
  const TensorTypes types = input_types(*op.body);
  const std::vector<Value> saved = saved_carries(op, in);

  Builder body;
  std::vector<Value> operands;                                    // of the reverse loop
  std::vector<Value> arguments(jacobian.graph->inputs().size());  // of the derivative
  const auto add_input = [&](Value operand, std::string name, const TensorType& type) {
    operands.push_back(operand);
    return body.input({std::move(name), type, Role::data, Sharding{}});
  };
  for (std::size_t i = 0; i < carried; ++i)
    if (const auto slot = jacobian.cotangent_input[i])
      arguments[*slot] =
          add_input(upstream_or_zeros(in, i), fmt::format("cotangent_{}", i), types[i]);
  std::vector<std::optional<Value>> sums(count);
  for (std::size_t i = invariant; i < count; ++i) {
    if (!jacobian.gradient_output[i]) continue;
    const TensorType type{accumulation_type(types[i].dtype), types[i].shape};
    sums[i] = add_input(splat(b, 0, type), fmt::format("gradient_{}", i), type);
  }
  Scan reverse;
  reverse.length = op.length;
  reverse.reverse = !op.reverse;
  reverse.carried = static_cast<std::int64_t>(operands.size());
  for (std::size_t i = 0; i < invariant; ++i)
    arguments[i] =
        add_input(i < carried ? saved[i] : in.operands[i], op.body->inputs()[i].name, types[i]);
  for (std::size_t i = carried; i < in.results.size(); ++i)
    if (const auto slot = jacobian.cotangent_input[i])
      arguments[*slot] = add_input(upstream_or_zeros(in, i), fmt::format("cotangent_{}", i),
                                   op.body->type(op.body->outputs()[i].value));
  reverse.scanned = static_cast<std::int64_t>(operands.size()) - reverse.carried;
  for (std::size_t i = invariant; i < count; ++i)
    arguments[i] = add_input(in.operands[i], op.body->inputs()[i].name, types[i]);

  const std::vector<Value> gradients = inline_graph(body, *jacobian.graph, arguments);
  std::vector<Value> outputs;
  std::vector<std::optional<std::size_t>> result_of(count);  // which result each gradient is
  const auto add_output = [&](std::size_t operand, Value value) {
    result_of[operand] = outputs.size();
    outputs.push_back(value);
  };
  const auto gradient_of = [&](std::size_t i) { return gradients[*jacobian.gradient_output[i]]; };
  for (std::size_t i = 0; i < carried; ++i)
    if (jacobian.gradient_output[i]) add_output(i, gradient_of(i));
  for (std::size_t i = invariant; i < count; ++i)
    if (sums[i])
      add_output(i, add(body, *sums[i], cast(body, gradient_of(i), body.type(*sums[i]).dtype)));
  for (std::size_t i = carried; i < invariant; ++i)
    if (jacobian.gradient_output[i]) add_output(i, gradient_of(i));
  if (outputs.empty()) return Gradients(count);
  reverse.body = GraphRef(std::move(body).finish(outputs));
  const std::vector<Value> results = b.results(b.add(std::move(reverse), operands));

  Gradients all(count);
  for (std::size_t i = 0; i < count; ++i)
    if (result_of[i]) all[i] = cast(b, results[*result_of[i]], types[i].dtype);
  return all;
}

}  // namespace tenon::ir
