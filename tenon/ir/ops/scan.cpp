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

}  // namespace tenon::ir
