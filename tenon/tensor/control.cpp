#include "tenon/tensor/control.h"

#include "tenon/tensor/build.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/shape.h"

namespace tenon {
namespace {

// Traces f on inputs of the given types into a graph whose only inputs are those.
ir::GraphRef trace_function(const TensorFunction& f, const std::vector<TensorType>& types,
                            std::string_view what) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < types.size(); ++i)
    inputs.push_back(placeholder(fmt::format("operand_{}", i), types[i]));
  const std::vector<Tensor> results = f(inputs);
  std::vector<Tensor> all = inputs;
  all.insert(all.end(), results.begin(), results.end());
  const std::shared_ptr<Trace> trace = common_trace(all);
  ir::Builder builder;
  std::vector<ir::Value> renamed(trace->builder.node_count());
  std::vector<ir::Value> values;
  for (const Tensor& result : results) values.push_back(result.ir_value());
  std::vector<bool> needed = needed_for(trace->builder, values);
  for (const Trace::Print& print : trace->prints)
    require(!needed[print.value.node],
            "{}: print(\"{}\") stands inside the function; return that value and print it outside",
            what, print.label);
  for (const Tensor& input : inputs) {
    renamed[input.ir_value().node] =
        builder.input({input.name(), input.type(), ir::Role::data, {}});
    needed[input.ir_value().node] = false;
  }
  for (std::uint32_t i = 0; i < trace->builder.node_count(); ++i) {
    if (!needed[i]) continue;
    const ir::Node& node = trace->builder.node(i);
    if (std::holds_alternative<ir::Parameter>(node.op))
      throw UserError(fmt::format(
          "{}: the function uses \"{}\" from outside; pass it as an operand", what,
          trace->builder
              .inputs()[static_cast<std::size_t>(std::get<ir::Parameter>(node.op).position)]
              .name));
    std::vector<ir::Value> operands;
    for (const ir::Value v : node.operands)
      operands.push_back({renamed[v.node].node, renamed[v.node].result + v.result});
    renamed[i] = builder.add(node.op, operands);
  }
  std::vector<ir::Value> outputs;
  for (const ir::Value v : values) {
    outputs.push_back({renamed[v.node].node, renamed[v.node].result + v.result});
  }
  return ir::GraphRef(std::move(builder).finish(outputs));
}

std::vector<TensorType> types_of(std::span<const Tensor> tensors) {
  std::vector<TensorType> types;
  for (const Tensor& tensor : tensors) types.push_back(tensor.type());
  return types;
}

}  // namespace

std::vector<Tensor> custom_gradient(const TensorFunction& f, const TensorFunction& g,
                                    std::span<const Tensor> operands) {
  const ir::GraphRef forward = trace_function(f, types_of(operands), "custom_gradient");
  std::vector<TensorType> types = types_of(operands);
  const ir::TensorTypes results = ir::output_types(*forward);
  types.insert(types.end(), results.begin(), results.end());
  types.insert(types.end(), results.begin(), results.end());
  const ir::GraphRef backward = trace_function(g, types, "custom_gradient");
  return apply_op_all(ir::CustomGradient{forward, backward}, operands);
}

ScanResult scan(const TensorFunction& body, std::span<const Tensor> initial,
                std::span<const Tensor> xs, std::int64_t length, std::span<const Tensor> invariants,
                bool reverse) {
  std::vector<TensorType> types = types_of(initial);
  std::vector<Tensor> operands(initial.begin(), initial.end());
  for (const Tensor& x : xs) {
    require(x.rank() >= 1 && x.extent(0) == length,
            "scan: xs must have {} slices along axis 0, got {}", length, x.type());
    types.push_back({x.dtype(), Shape(x.shape().begin() + 1, x.shape().end())});
    operands.push_back(x);
  }
  for (const Tensor& invariant : invariants) {
    types.push_back(invariant.type());
    operands.push_back(invariant);
  }
  ir::Scan op;
  op.body = trace_function(body, types, "scan");
  op.length = length;
  op.carried = static_cast<std::int64_t>(initial.size());
  op.scanned = static_cast<std::int64_t>(xs.size());
  op.reverse = reverse;
  const std::vector<Tensor> results = apply_op_all(std::move(op), operands);
  const auto middle = results.begin() + static_cast<std::ptrdiff_t>(initial.size());
  return {{results.begin(), middle}, {middle, results.end()}};
}

std::vector<Tensor> while_loop(const std::function<Tensor(std::span<const Tensor>)>& condition,
                               const TensorFunction& body, std::span<const Tensor> state) {
  const std::vector<TensorType> types = types_of(state);
  const TensorFunction as_list = [&](std::span<const Tensor> s) {
    return std::vector<Tensor>{condition(s)};
  };
  return apply_op_all(ir::While{trace_function(as_list, types, "while_loop"),
                                trace_function(body, types, "while_loop")},
                      state);
}

std::vector<Tensor> cond(const Tensor& predicate, const TensorFunction& on_true,
                         const TensorFunction& on_false, std::span<const Tensor> operands) {
  const std::vector<TensorType> types = types_of(operands);
  std::vector<Tensor> all{predicate};
  all.insert(all.end(), operands.begin(), operands.end());
  return apply_op_all(
      ir::Cond{trace_function(on_true, types, "cond"), trace_function(on_false, types, "cond")},
      all);
}

}  // namespace tenon
