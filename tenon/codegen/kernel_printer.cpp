#include "tenon/codegen/kernel_printer.h"

#include "tenon/base/error.h"
#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/c_syntax.h"
#include "tenon/kernel/operands.h"

namespace tenon::codegen {

using namespace kernel;

KernelPrinter::KernelPrinter(const Kernel& kernel, const KernelOptions& options)
    : kernel_(kernel),
      options_(options),
      uses_(kernel),
      buffers_(buffer_names(kernel)),
      storage_(kernel.values.size()),
      is_declared_(kernel.values.size()) {
  for (const ValueId argument : kernel.body.arguments)
    storage(argument) = {Storage::Kind::uniform, scalar_name(argument)};
}

void KernelPrinter::line(std::string_view text) {
  // Preprocessor lines start at the margin.
  if (!text.starts_with('#')) text_.append(static_cast<std::size_t>(depth_) * 2, ' ');
  text_ += text;
  text_ += '\n';
}

std::string KernelPrinter::element(ValueId value) const {
  const Storage& place = storage(value);
  switch (place.kind) {
    case Storage::Kind::uniform:
    case Storage::Kind::local: return place.text;
    case Storage::Kind::lane_index:
    case Storage::Kind::row_index: {
      const std::string_view index = place.kind == Storage::Kind::lane_index ? "l" : "r";
      if (type(value).dtype == DType::i64) return std::string(index);
      return fmt::format("({}){}", c_element_type(type(value).dtype), index);
    }
    case Storage::Kind::array: break;
  }
  return array_element(place.text, type(value));
}

std::string KernelPrinter::place_text(BufferId id, ValueId offset, std::int64_t row_stride,
                                      std::int64_t lane_stride, const Extents& extents) const {
  std::string place;
  const auto append = [&](std::string_view term) {
    place += fmt::format("{}{}", place.empty() ? "" : " + ", term);
  };
  const auto append_index = [&](std::string_view index, std::int64_t stride) {
    if (stride == 1)
      append(index);
    else if (stride != 0)
      append(fmt::format("{} * {}", index, stride));
  };
  if (storage(offset).text != "0") append(storage(offset).text);
  if (extents.rows > 1) append_index("r", row_stride);
  if (extents.lanes > 1) append_index("l", lane_stride);
  return fmt::format("{}[{}]", buffer(id), place.empty() ? "0" : place);
}

void KernelPrinter::declare_array(ValueId value) {
  check(!is_declared_[value.index], "kernel {}: the array of %{} is declared twice", kernel_.name,
        value.index);
  is_declared_[value.index] = true;
  line(fmt::format("{} {}[{}]{};", c_element_type(type(value).dtype), array_name(value),
                   array_length(type(value)), array_attributes()));
}

void KernelPrinter::materialize(ValueId value) {
  if (storage(value).kind == Storage::Kind::array) return;
  const Extents extents{type(value).rows, type(value).lanes};
  declare_array(value);
  const Segment whole{0, extents.rows, 0, extents.lanes};
  open_element_loop(extents, whole);
  line(fmt::format("{} = {};", array_element(array_name(value), type(value)), element(value)));
  close_element_loop(extents, whole);
  storage(value) = {Storage::Kind::array, array_name(value)};
}

bool KernelPrinter::is_taken_over(ValueId operand, const Block& block, std::size_t position) const {
  const Block* body = body_of(block.statements[position].instruction);
  return options_.reuse_arrays && storage(operand).kind == Storage::Kind::array &&
         uses_.defined_in(operand, block) && !uses_.used_behind(operand, block, position) &&
         !(body && uses_.used_in(operand, *body));
}

std::string KernelPrinter::take_over(ValueId operand, const Block& block, std::size_t position,
                                     ValueId result) {
  if (is_taken_over(operand, block, position)) return storage(operand).text;
  declare_array(result);
  const Extents extents{type(operand).rows, type(operand).lanes};
  const Segment whole{0, extents.rows, 0, extents.lanes};
  open_element_loop(extents, whole);
  line(fmt::format("{} = {};", array_element(array_name(result), type(result)), element(operand)));
  close_element_loop(extents, whole);
  return array_name(result);
}

void KernelPrinter::print_block(const Block& block) {
  for (std::size_t i = 0; i < block.statements.size();) {
    std::size_t end = find_run_end(kernel_, block, i);
    if (!options_.join_statements) end = std::min(end, i + 1);
    if (end > i) {
      print_run(block, i, end);
      i = end;
      continue;
    }
    const Statement& statement = block.statements[i];
    if (const auto* fold = std::get_if<Fold>(&statement.instruction)) {
      const ValueId result = statement.results.front();
      if (type(fold->tile).is_scalar()) {
        storage(result) = storage(fold->tile);
      } else {
        materialize(fold->tile);
        print_fold(*fold, result);
      }
    } else if (const auto* contract = std::get_if<Contract>(&statement.instruction)) {
      print_contract(*contract, block, i);
    } else if (const auto* loop = std::get_if<Loop>(&statement.instruction)) {
      if (!print_special_loop(block, i)) print_loop(*loop, statement, block, i);
    } else if (const auto* node = std::get_if<If>(&statement.instruction)) {
      open(fmt::format("if ({}) {{", element(node->condition)));
      begin_branch();
      print_block(node->body);
      close();
    } else if (const auto* prefetch = std::get_if<Prefetch>(&statement.instruction)) {
      print_prefetch(*prefetch, block, i);
    } else if (std::holds_alternative<Barrier>(statement.instruction)) {
      print_barrier();
    } else {
      print_scalar_statement(statement);
    }
    ++i;
  }
}

std::string KernelPrinter::expression(const Instruction& instruction, ValueId result,
                                      const Extents& extents, const Segment* segment) const {
  const auto condition_of = [&](std::int64_t rows, std::int64_t lanes) -> std::string {
    if (segment) return condition(*segment, extents, rows, lanes);
    return rows >= 1 && lanes >= 1 ? "" : "0";
  };
  const auto guarded = [&](const std::string& guard, const std::string& memory,
                           const Literal& fill) {
    if (guard.empty()) return memory;
    if (guard == "0") return literal_text(fill);
    return fmt::format("{} ? {} : {}", guard, memory, literal_text(fill));
  };
  const auto no_expression = [&]() -> std::string {
    check(false, "kernel {}: a statement without an element-wise form", kernel_.name);
    return "";
  };
  return std::visit(
      cases{[&](const Literal& node) { return literal_text(node); },
            [&](const LaneIndex&) { return std::string("0"); },
            [&](const RowIndex&) { return std::string("0"); },
            [&](const Call& node) {
              std::vector<std::string> operands;
              for (const ValueId operand : node.operands) operands.push_back(element(operand));
              for (std::size_t i = 0; i < 2 && operands.size() == 2 && options_.compare_with_bounds;
                   ++i) {
                const std::optional<Literal>& bound = storage(node.operands[1 - i]).literal;
                if (!bound) continue;
                const std::string text = bounded_text(node.function, *bound, operands[i]);
                if (!text.empty()) return text;
              }
              return call_text(node.function, type(node.operands.front()).dtype, operands);
            },
            [&](const FusedMultiplyAdd& node) {
              return fmt::format("tenon_fma_{}({}, {}, {})", type(result).dtype, element(node.a),
                                 element(node.b), element(node.c));
            },
            [&](const Select& node) {
              return select_text(type(result).dtype, element(node.predicate), element(node.on_true),
                                 element(node.on_false));
            },
            [&](const Cast& node) {
              return cast_text(type(node.operand).dtype, node.dtype, element(node.operand));
            },
            [&](const Bitcast& node) {
              return bitcast_text(type(node.operand).dtype, node.dtype, element(node.operand));
            },
            [&](const RandomWord& node) {
              return fmt::format("tenon_random_word({}, {}, {})", element(node.key0),
                                 element(node.key1), element(node.index));
            },
            [&](const Splat& node) { return element(node.operand); },
            [&](const Load& node) {
              const Access& access = node.access;
              return guarded(condition_of(access.active_rows, access.active_lanes),
                             place_text(access.buffer, access.offset, access.row_stride,
                                        access.lane_stride, extents),
                             node.fill);
            },
            [&](const LoadIndexed& node) {
              std::string guard = condition_of(type(result).rows, type(result).lanes);
              if (node.mask) guard += (guard.empty() ? "" : " && ") + element(*node.mask);
              return guarded(guard, fmt::format("{}[{}]", buffer(node.buffer), element(node.index)),
                             node.fill);
            },
            [&](const Store&) { return no_expression(); },
            [&](const StoreIndexed&) { return no_expression(); },
            [&](const Fold&) { return no_expression(); },
            [&](const Contract&) { return no_expression(); },
            [&](const Prefetch&) { return no_expression(); },
            [&](const Barrier&) { return no_expression(); },
            [&](const Loop&) { return no_expression(); },
            [&](const If&) { return no_expression(); }},
      instruction);
}

void KernelPrinter::print_element_statement(const Statement& statement, const Extents& extents,
                                            const Segment& segment) {
  const auto print_store = [&](const std::string& guard, const std::string& place,
                               const std::string& value) {
    if (guard == "0") return;
    line(fmt::format("{}{} = {};", guard.empty() ? "" : "if (" + guard + ") ", place, value));
  };
  if (const auto* store = std::get_if<Store>(&statement.instruction)) {
    const Access& access = store->access;
    print_store(
        condition(segment, extents, access.active_rows, access.active_lanes),
        place_text(access.buffer, access.offset, access.row_stride, access.lane_stride, extents),
        element(store->value));
    return;
  }
  if (const auto* store = std::get_if<StoreIndexed>(&statement.instruction)) {
    std::string guard = condition(segment, extents, extents.rows, extents.lanes);
    if (store->mask) guard += (guard.empty() ? "" : " && ") + element(*store->mask);
    print_store(guard, fmt::format("{}[{}]", buffer(store->buffer), element(store->index)),
                element(store->value));
    return;
  }
  const ValueId result = statement.results.front();
  line(fmt::format("const {} {} = {};", c_element_type(type(result).dtype), scalar_name(result),
                   expression(statement.instruction, result, extents, &segment)));
}

void KernelPrinter::print_scalar_statement(const Statement& statement) {
  const Instruction& instruction = statement.instruction;
  if (const auto* store = std::get_if<Store>(&instruction)) {
    const Access& access = store->access;
    if (access.active_rows * access.active_lanes == 0) return;
    line(fmt::format("{}{} = {};", scalar_store_guard(),
                     place_text(access.buffer, access.offset, 0, 0, {}), element(store->value)));
    return;
  }
  if (const auto* store = std::get_if<StoreIndexed>(&instruction)) {
    line(fmt::format("{}{}{}[{}] = {};", scalar_store_guard(),
                     store->mask ? fmt::format("if ({}) ", element(*store->mask)) : "",
                     buffer(store->buffer), element(store->index), element(store->value)));
    return;
  }
  const ValueId result = statement.results.front();
  if (std::holds_alternative<LaneIndex>(instruction) && type(result).lanes > 1) {
    storage(result).kind = Storage::Kind::lane_index;
  } else if (std::holds_alternative<RowIndex>(instruction) && type(result).rows > 1) {
    storage(result).kind = Storage::Kind::row_index;
  } else if (std::holds_alternative<Literal>(instruction) ||
             std::holds_alternative<Splat>(instruction) ||
             std::holds_alternative<LaneIndex>(instruction) ||
             std::holds_alternative<RowIndex>(instruction)) {
    storage(result) = {Storage::Kind::uniform, expression(instruction, result, {}, nullptr)};
    if (const auto* literal = std::get_if<Literal>(&instruction))
      storage(result).literal = *literal;
    if (const auto* splat = std::get_if<Splat>(&instruction))
      storage(result).literal = storage(splat->operand).literal;
  } else {
    storage(result) = {Storage::Kind::uniform, scalar_name(result)};
    line(fmt::format("const {} {} = {};", c_element_type(type(result).dtype), scalar_name(result),
                     expression(instruction, result, {}, nullptr)));
  }
}

}  // namespace tenon::codegen
