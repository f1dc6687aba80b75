#include "tenon/ir/ops/sort.h"

#include <numeric>

#include "tenon/ir/build.h"
#include "tenon/ir/ops/combine.h"

namespace tenon::ir {

TensorTypes infer_types(const Sort& op, OperandTypes types) {
  require_operands_at_least(op.kName, types, 1);
  require_axis(op.kName, op.axis, types[0]);
  for (const TensorType& type : types)
    require(type.shape == types[0].shape, "sort: operands have different shapes: {}",
            list_of(types));
  return {types.begin(), types.end()};
}

HostTensors evaluate(const Sort& op, OperandValues values) {
  HostTensors results;
  for (const HostTensor* operand : values) results.emplace_back(operand->type());
  const HostTensor& keys = *values[0];
  with_element_type(keys.dtype(), [&]<class T>(TypeTag<T>) {
    const auto elements = keys.as<T>();
    const auto comes_first = [&](std::int64_t i, std::int64_t j) {
      const T a = elements[static_cast<std::size_t>(i)];
      const T b = elements[static_cast<std::size_t>(j)];
      if (is_nan(a) || is_nan(b)) return !is_nan(a) && is_nan(b);
      return op.descending ? comparable(a) > comparable(b) : comparable(a) < comparable(b);
    };
    for_each_line(keys.shape(), op.axis,
                  [&](std::int64_t first, std::int64_t stride, std::int64_t n) {
                    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
                    for (std::int64_t i = 0; i < n; ++i)
                      order[static_cast<std::size_t>(i)] = first + stride * i;
                    std::ranges::stable_sort(order, comes_first);
                    for (std::size_t k = 0; k < results.size(); ++k)
                      for (std::int64_t i = 0; i < n; ++i)
                        copy_element(results[k], first + stride * i, *values[k],
                                     order[static_cast<std::size_t>(i)]);
                  });
  });
  return results;
}

// The positions, sorted along, say where each element came from; sorting by them sends the
// upstreams back.
Gradients gradient(const Sort& op, const GradientInputs& in) {
  Gradients gradients = no_gradients(in);
  Builder& b = in.builder;
  const TensorType keys = b.type(in.operands[0]);
  if (element_count(keys.shape) == 0) {
    for (std::size_t k = 0; k < gradients.size(); ++k)
      if (in.upstream[k]) gradients[k] = *in.upstream[k];
    return gradients;
  }
  const bool small =
      keys.shape[static_cast<std::size_t>(op.axis)] <= std::numeric_limits<std::int32_t>::max();
  const TensorType positions{small ? DType::i32 : DType::i64, keys.shape};
  const Value sorted = b.add(op, {in.operands[0], b.add(Iota{positions, op.axis})});
  std::vector<Value> operands{{sorted.node, 1}};
  std::vector<std::size_t> destinations;
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    if (!in.upstream[k]) continue;
    operands.push_back(*in.upstream[k]);
    destinations.push_back(k);
  }
  const Value unsorted = b.add(Sort{op.axis, false}, operands);
  for (std::size_t i = 0; i < destinations.size(); ++i)
    gradients[destinations[i]] = Value{unsorted.node, static_cast<std::uint32_t>(i + 1)};
  return gradients;
}

}  // namespace tenon::ir
