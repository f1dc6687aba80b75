#include "tenon/kernel/builder.h"

#include "tenon/base/error.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/kernel/index_arithmetic.h"
#include "tenon/kernel/operands.h"
#include "tenon/kernel/types.h"

namespace tenon::kernel {

namespace {

constexpr TileType kIndexType{DType::i64, 1, 1};

}  // namespace

Literal make_literal(DType dtype, double value) {
  return with_element_type(dtype, [&](auto tag) {
    const auto element = convert_element<typename decltype(tag)::type>(value);
    Literal literal{dtype, 0};
    std::memcpy(&literal.bits, &element, sizeof element);  // little-endian: the low bytes
    return literal;
  });
}

double number_of(const Literal& literal) {
  return with_element_type(literal.dtype, [&](auto tag) {
    typename decltype(tag)::type element{};
    std::memcpy(static_cast<void*>(&element), &literal.bits, sizeof element);
    return convert_element<double>(element);
  });
}

KernelBuilder::KernelBuilder(std::string name, std::int64_t grid, std::int64_t team) {
  check(grid >= 0 && team >= 1, "kernel {}: a grid of {} with a team of {}", name, grid, team);
  kernel_.name = std::move(name);
  kernel_.grid = grid;
  kernel_.team = team;
  const ValueId instance = new_value(kIndexType);
  kernel_.body.arguments = {instance};
  if (grid > 0) extents_[instance.index] = grid;
}

ValueId KernelBuilder::new_value(TileType type) {
  kernel_.values.push_back(type);
  return {static_cast<std::uint32_t>(kernel_.values.size() - 1)};
}

BufferId KernelBuilder::new_buffer(Buffer buffer) {
  check(buffer.elements >= 0, "kernel {}: buffer {} of {} elements", kernel_.name, buffer.name,
        buffer.elements);
  kernel_.buffers.push_back(std::move(buffer));
  return {static_cast<std::uint32_t>(kernel_.buffers.size() - 1)};
}

BufferId KernelBuilder::argument(std::string name, DType dtype, std::int64_t elements,
                                 bool is_written) {
  check(kernel_.buffers.empty() || kernel_.buffers.back().space == Space::argument,
        "kernel {}: argument {} stands after a shared buffer", kernel_.name, name);
  return new_buffer({std::move(name), dtype, elements, Space::argument, is_written});
}

BufferId KernelBuilder::shared(std::string name, DType dtype, std::int64_t elements) {
  return new_buffer({std::move(name), dtype, elements, Space::shared, true});
}

std::vector<ValueId> KernelBuilder::append_all(Instruction instruction) {
  Statement statement{std::move(instruction), {}};
  for (const TileType& type : infer_types(kernel_, statement.instruction))
    statement.results.push_back(new_value(type));
  block().statements.push_back(std::move(statement));
  return block().statements.back().results;
}

ValueId KernelBuilder::append(Instruction instruction) {
  const std::vector<ValueId> results = append_all(std::move(instruction));
  return results.empty() ? ValueId{} : results.front();
}

ValueId KernelBuilder::instance() const { return kernel_.body.arguments.front(); }

ValueId KernelBuilder::literal(Literal value) {
  const ValueId result = append(value);
  if (value.dtype == DType::i64 || value.dtype == DType::boolean)
    integers_[result.index] = static_cast<std::int64_t>(value.bits);
  return result;
}
ValueId KernelBuilder::index(std::int64_t value) {
  return literal({DType::i64, static_cast<std::uint64_t>(value)});
}
ValueId KernelBuilder::number(DType dtype, double value) {
  return literal(make_literal(dtype, value));
}
ValueId KernelBuilder::lane_index(DType dtype, std::int64_t rows, std::int64_t lanes) {
  return append(LaneIndex{{dtype, rows, lanes}});
}
ValueId KernelBuilder::row_index(DType dtype, std::int64_t rows, std::int64_t lanes) {
  return append(RowIndex{{dtype, rows, lanes}});
}

std::optional<std::int64_t> KernelBuilder::integer(ValueId value) const {
  const auto known = integers_.find(value.index);
  if (known == integers_.end()) return std::nullopt;
  return known->second;
}

std::optional<ValueId> KernelBuilder::simplify(ScalarFunction f,
                                               std::span<const ValueId> operands) {
  if (operands.size() != 2) return std::nullopt;
  if (type(operands[0]) != kIndexType || type(operands[1]) != kIndexType) return std::nullopt;
  const auto a = integer(operands[0]);
  const auto b = integer(operands[1]);
  if (a && b) {
    const auto folded = fold_integers(f, *a, *b);
    if (!folded) return std::nullopt;
    return literal({result_type(f, DType::i64), static_cast<std::uint64_t>(*folded)});
  }
  if (f == ScalarFunction::add && a == 0) return operands[1];
  if (f == ScalarFunction::add && b == 0) return operands[0];
  if (f == ScalarFunction::subtract && b == 0) return operands[0];
  if (f == ScalarFunction::multiply && a == 1) return operands[1];
  if (f == ScalarFunction::multiply && b == 1) return operands[0];
  if (f == ScalarFunction::multiply && (a == 0 || b == 0)) return index(0);
  if (f == ScalarFunction::divide && b == 1) return operands[0];
  if (f == ScalarFunction::remainder && b == 1) return index(0);
  const auto extent = extents_.find(operands[0].index);
  if (extent == extents_.end() || !b || *b <= 0) return std::nullopt;
  if (f == ScalarFunction::divide && extent->second <= *b) return index(0);
  if (f == ScalarFunction::remainder && extent->second <= *b) return operands[0];
  if (f == ScalarFunction::less && extent->second <= *b) return literal({DType::boolean, 1});
  return std::nullopt;
}

ValueId KernelBuilder::call(ScalarFunction f, std::span<const ValueId> operands) {
  if (const auto simpler = simplify(f, operands)) return *simpler;
  Call node{f, {operands.begin(), operands.end()}};
  if (node.operands.size() == 2) make_alike({&node.operands[0], &node.operands[1]});
  const ValueId result = append(std::move(node));
  if (operands.size() != 2 || type(result) != kIndexType) return result;
  const auto extent = extents_.find(operands[0].index);
  const auto divisor = integer(operands[1]);
  if (extent == extents_.end() || !divisor || *divisor <= 0) return result;
  if (f == ScalarFunction::divide) extents_[result.index] = (extent->second - 1) / *divisor + 1;
  if (f == ScalarFunction::remainder) extents_[result.index] = *divisor;
  return result;
}

ValueId KernelBuilder::fused_multiply_add(ValueId a, ValueId b, ValueId c) {
  make_alike({&a, &b, &c});
  return append(FusedMultiplyAdd{a, b, c});
}
ValueId KernelBuilder::select(ValueId predicate, ValueId on_true, ValueId on_false) {
  if (const auto known = integer(predicate)) return *known != 0 ? on_true : on_false;
  make_alike({&predicate, &on_true, &on_false});
  return append(Select{predicate, on_true, on_false});
}
ValueId KernelBuilder::cast(ValueId operand, DType dtype) {
  if (type(operand).dtype == dtype) return operand;
  return append(Cast{operand, dtype});
}
ValueId KernelBuilder::bitcast(ValueId operand, DType dtype) {
  if (type(operand).dtype == dtype) return operand;
  return append(Bitcast{operand, dtype});
}
ValueId KernelBuilder::random_word(ValueId key0, ValueId key1, ValueId index) {
  return append(RandomWord{key0, key1, index});
}
ValueId KernelBuilder::splat(ValueId operand, std::int64_t rows, std::int64_t lanes) {
  if (type(operand).rows == rows && type(operand).lanes == lanes) return operand;
  return append(Splat{operand, rows, lanes});
}
void KernelBuilder::make_alike(std::initializer_list<ValueId*> values) {
  std::int64_t rows = 1, lanes = 1;
  for (const ValueId* value : values) {
    rows = std::max(rows, type(*value).rows);
    lanes = std::max(lanes, type(*value).lanes);
  }
  const auto is_narrow = [&](const TileType& tile) {
    return !tile.is_scalar() && (tile.rows == rows || tile.rows == 1) &&
           (tile.lanes == lanes || tile.lanes == 1);
  };
  for (ValueId* value : values)
    if (is_narrow(type(*value))) *value = splat(*value, rows, lanes);
}
ValueId KernelBuilder::load(Access access, std::int64_t rows, std::int64_t lanes, double fill) {
  return append(Load{access, rows, lanes, make_literal(buffer(access.buffer).dtype, fill)});
}
void KernelBuilder::store(Access access, ValueId value) {
  if (!type(value).is_scalar())
    value = splat(value, std::max(type(value).rows, access.active_rows),
                  std::max(type(value).lanes, access.active_lanes));
  append(Store{access, value});
}
ValueId KernelBuilder::load_indexed(BufferId from, ValueId index, std::optional<ValueId> mask,
                                    double fill) {
  if (mask) make_alike({&index, &*mask});
  return append(LoadIndexed{from, index, mask, make_literal(buffer(from).dtype, fill)});
}
void KernelBuilder::store_indexed(BufferId to, ValueId index, ValueId value,
                                  std::optional<ValueId> mask) {
  make_alike({&index, &value});
  if (mask) make_alike({&index, &*mask});
  append(StoreIndexed{to, index, mask, value});
}
ValueId KernelBuilder::fold(ScalarFunction f, FoldAxis axis, ValueId tile, std::int64_t active) {
  return append(Fold{f, axis, tile, active});
}
ValueId KernelBuilder::contract(Contract contract) { return append(contract); }
void KernelBuilder::prefetch(Access access) { append(Prefetch{access}); }
void KernelBuilder::barrier() { append(Barrier{}); }

std::vector<ValueId> KernelBuilder::loop(
    std::int64_t extent, std::span<const ValueId> initial,
    const std::function<std::vector<ValueId>(ValueId, std::span<const ValueId>)>& body) {
  const std::vector<ValueId> first(initial.begin(), initial.end());
  if (extent == 0) return first;
  if (extent == 1) {
    std::vector<ValueId> last = body(index(0), first);
    check(last.size() == first.size(), "kernel {}: a loop over {} values yields {}", kernel_.name,
          first.size(), last.size());
    for (std::size_t i = 0; i < last.size(); ++i)
      check(type(last[i]) == type(first[i]), "kernel {}: a loop carries {} and yields {}",
            kernel_.name, to_string(type(first[i])), to_string(type(last[i])));
    return last;
  }
  Loop loop{extent, first, {}};
  loop.body.arguments.push_back(new_value(kIndexType));
  extents_[loop.body.arguments[0].index] = extent;
  for (const ValueId value : first) loop.body.arguments.push_back(new_value(type(value)));
  open_.push_back(&loop.body);
  loop.body.yields = body(loop.body.arguments[0], std::span(loop.body.arguments).subspan(1));
  open_.pop_back();
  return append_all(std::move(loop));
}

void KernelBuilder::if_true(ValueId condition, const std::function<void()>& body) {
  if (type(condition) == TileType{DType::boolean, 1, 1}) {
    if (const auto known = integer(condition)) {
      if (*known) body();
      return;
    }
  }
  If node{condition, {}};
  open_.push_back(&node.body);
  body();
  open_.pop_back();
  append(std::move(node));
}

Kernel KernelBuilder::finish(double cost) && {
  check(open_.empty(), "kernel {}: finished inside a loop or an if", kernel_.name);
  kernel_.cost = cost;
  remove_unused(kernel_);
  verify(kernel_);
  return std::move(kernel_);
}

}  // namespace tenon::kernel
