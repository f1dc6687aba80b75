#include "tenon/base/text.h"
#include "tenon/kernel/builder.h"
#include "tenon/kernel/operands.h"
#include "tenon/kernel/types.h"

namespace tenon::kernel {

namespace {

std::string value_text(ValueId value) { return fmt::format("%{}", value.index); }

std::string values_text(const std::vector<ValueId>& values) {
  std::string text;
  for (const ValueId value : values) text += (text.empty() ? "" : ", ") + value_text(value);
  return text;
}

std::string literal_text(const Literal& literal) {
  const auto bits = static_cast<std::int64_t>(literal.bits);
  if (literal.dtype == DType::i64) return fmt::format("{}", bits);
  if (literal.dtype == DType::u64) return fmt::format("{}", literal.bits);
  if (is_boolean(literal.dtype)) return literal.bits ? "true" : "false";
  const double value = number_of(literal);
  // A NaN may carry any payload, which a number does not show.
  if (value != value) return fmt::format("nan({:#x})", literal.bits);
  return fmt::format("{}", value);
}

struct Printer {
  const Kernel& kernel;
  std::string text;

  const std::string& buffer(BufferId id) const { return kernel.buffers[id.index].name; }

  std::string operator()(const Literal& literal) const {
    return fmt::format("literal {}", literal_text(literal));
  }
  std::string operator()(const LaneIndex&) const { return "lane_index"; }
  std::string operator()(const RowIndex&) const { return "row_index"; }
  std::string operator()(const Call& call) const {
    return fmt::format("{} {}", info(call.function).name, values_text(call.operands));
  }
  std::string operator()(const FusedMultiplyAdd& node) const {
    return fmt::format("fused_multiply_add {}", values_text({node.a, node.b, node.c}));
  }
  std::string operator()(const Select& node) const {
    return fmt::format("select {}", values_text({node.predicate, node.on_true, node.on_false}));
  }
  std::string operator()(const Cast& node) const {
    return fmt::format("cast {}", value_text(node.operand));
  }
  std::string operator()(const Bitcast& node) const {
    return fmt::format("bitcast {}", value_text(node.operand));
  }
  std::string operator()(const RandomWord& node) const {
    return fmt::format("random_word {}", values_text({node.key0, node.key1, node.index}));
  }
  std::string operator()(const Splat& node) const {
    return fmt::format("splat {}", value_text(node.operand));
  }
  std::string access_text(const Access& access, bool is_scalar) const {
    std::string place = fmt::format("{}[{}", buffer(access.buffer), value_text(access.offset));
    if (!is_scalar)
      place += fmt::format(" + {} r + {} l], r < {}, l < {}", access.row_stride, access.lane_stride,
                           access.active_rows, access.active_lanes);
    else
      place += access.active_rows * access.active_lanes == 1 ? "]" : "], inactive";
    return place;
  }
  std::string operator()(const Load& load) const {
    const bool is_scalar = load.rows == 1 && load.lanes == 1;
    std::string result = "load " + access_text(load.access, is_scalar);
    if (load.access.active_rows < load.rows || load.access.active_lanes < load.lanes)
      result += ", else " + literal_text(load.fill);
    return result;
  }
  std::string operator()(const Store& store) const {
    const bool is_scalar = store.access.active_rows == 1 && store.access.active_lanes == 1;
    return fmt::format("store {}, {}", access_text(store.access, is_scalar),
                       value_text(store.value));
  }
  std::string operator()(const LoadIndexed& load) const {
    std::string result = fmt::format("load {}[{}]", buffer(load.buffer), value_text(load.index));
    if (load.mask)
      result += fmt::format(" where {}, else {}", value_text(*load.mask), literal_text(load.fill));
    return result;
  }
  std::string operator()(const StoreIndexed& store) const {
    std::string result = fmt::format("store {}[{}], {}", buffer(store.buffer),
                                     value_text(store.index), value_text(store.value));
    if (store.mask) result += fmt::format(" where {}", value_text(*store.mask));
    return result;
  }
  std::string operator()(const Fold& fold) const {
    return fmt::format("fold {} over {} {} of {}", info(fold.function).name, fold.active,
                       fold.axis == FoldAxis::lanes ? "lanes" : "rows", value_text(fold.tile));
  }
  std::string operator()(const Contract& node) const {
    return fmt::format(
        "contract {} + {}[{} + {} r + {} k] * {}[{} + {} k + {} l], k < {}, r < {}, l < {}",
        value_text(node.accumulator), buffer(node.lhs), value_text(node.lhs_offset),
        node.lhs_row_stride, node.lhs_depth_stride, buffer(node.rhs), value_text(node.rhs_offset),
        node.rhs_depth_stride, node.rhs_lane_stride, node.depth, node.active_rows,
        node.active_lanes);
  }
  std::string operator()(const Prefetch& node) const {
    return "prefetch " + access_text(node.access, false);
  }
  std::string operator()(const Barrier&) const { return "barrier"; }
  std::string operator()(const Loop& loop) const {
    std::string result =
        fmt::format("loop {} < {}", value_text(loop.body.arguments[0]), loop.extent);
    for (std::size_t i = 0; i < loop.initial.size(); ++i)
      result += fmt::format(", {} from {}", value_text(loop.body.arguments[i + 1]),
                            value_text(loop.initial[i]));
    return result;
  }
  std::string operator()(const If& node) const {
    return fmt::format("if {}", value_text(node.condition));
  }

  void block(const Block& body, int depth) {
    const std::string margin(static_cast<std::size_t>(depth) * 2, ' ');
    for (const Statement& statement : body.statements) {
      text += margin;
      std::string results;
      for (const ValueId result : statement.results)
        results += fmt::format("{}{}: {}", results.empty() ? "" : ", ", value_text(result),
                               to_string(kernel.type(result)));
      if (!results.empty()) text += results + " = ";
      text += std::visit(*this, statement.instruction);
      if (const Block* nested = body_of(statement.instruction)) {
        text += " {\n";
        block(*nested, depth + 1);
        text += margin + "}";
      }
      text += "\n";
    }
    if (!body.yields.empty()) text += margin + "yield " + values_text(body.yields) + "\n";
  }
};

}  // namespace

std::string print(const Kernel& kernel) {
  Printer printer{kernel, {}};
  for (const std::string& line : kernel.comments) printer.text += fmt::format("// {}\n", line);
  printer.text +=
      fmt::format("kernel {}, grid {}, team {} {{\n", kernel.name, kernel.grid, kernel.team);
  for (const Buffer& buffer : kernel.buffers)
    printer.text +=
        fmt::format("  {} {}: {}[{}]{}\n", buffer.space == Space::argument ? "argument" : "shared",
                    buffer.name, buffer.dtype, buffer.elements,
                    buffer.space == Space::argument && buffer.is_written ? ", written" : "");
  if (!kernel.body.arguments.empty())
    printer.text += fmt::format("  instance {}\n", value_text(kernel.body.arguments[0]));
  printer.block(kernel.body, 1);
  return printer.text + "}\n";
}

}  // namespace tenon::kernel
