#include "tenon/kernel/types.h"

#include "tenon/base/error.h"

namespace tenon::kernel {

namespace {

using Types = std::vector<TileType>;

struct TypeRule {
  const Kernel& kernel;

  template <class... Args>
  void expect(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    check(condition, "kernel {}: {}", kernel.name,
          fmt::format(format, std::forward<Args>(args)...));
  }
  const TileType& type(ValueId value) const {
    expect(value.index < kernel.values.size(), "there is no value %{}", value.index);
    return kernel.values[value.index];
  }
  const Buffer& buffer(BufferId id) const {
    expect(id.index < kernel.buffers.size(), "there is no buffer number {}", id.index);
    return kernel.buffers[id.index];
  }
  void expect_scalar(ValueId value, DType dtype, std::string_view what) const {
    expect(type(value) == TileType{dtype, 1, 1}, "{} must be one {}, but it is {}", what, dtype,
           to_string(type(value)));
  }
  void expect_extents(std::int64_t rows, std::int64_t lanes) const {
    expect(rows >= 1 && lanes >= 1, "a tile of {} x {}", rows, lanes);
  }
  // The shape that tiles have in common, scalars repeating.
  TileType common_shape(std::initializer_list<ValueId> operands, std::string_view what) const {
    TileType shape;
    for (const ValueId operand : operands) widen(shape, operand, what);
    return shape;
  }
  void widen(TileType& shape, ValueId operand, std::string_view what) const {
    const TileType& next = type(operand);
    if (next.is_scalar()) return;
    expect(shape.is_scalar() || (shape.rows == next.rows && shape.lanes == next.lanes),
           "{} of tiles of {}x{} and {}x{}", what, shape.rows, shape.lanes, next.rows, next.lanes);
    shape.rows = next.rows;
    shape.lanes = next.lanes;
  }
  void expect_access(const Access& access) const {
    buffer(access.buffer);
    expect_scalar(access.offset, DType::i64, "an offset");
    expect(access.active_rows >= 0 && access.active_lanes >= 0, "{} x {} active elements",
           access.active_rows, access.active_lanes);
  }
  void expect_written(BufferId id) const {
    const Buffer& target = buffer(id);
    expect(target.space == Space::shared || target.is_written,
           "a store to {}, which is not marked as written", target.name);
  }
  void expect_index(ValueId index, const std::optional<ValueId>& mask) const {
    const DType dtype = type(index).dtype;
    expect(dtype == DType::i64 || dtype == DType::i32, "an index of type {}", dtype);
    if (!mask) return;
    const TileType& bits = type(*mask);
    expect(bits.dtype == DType::boolean, "a mask of type {}", bits.dtype);
    expect(bits.is_scalar() || (bits.rows == type(index).rows && bits.lanes == type(index).lanes),
           "a mask of {}x{} for an index of {}x{}", bits.rows, bits.lanes, type(index).rows,
           type(index).lanes);
  }

  Types operator()(const Literal& literal) const { return {{literal.dtype, 1, 1}}; }
  Types operator()(const LaneIndex& index) const { return index_tile(index.type); }
  Types operator()(const RowIndex& index) const { return index_tile(index.type); }
  Types index_tile(const TileType& tile) const {
    expect(tile.dtype == DType::i64 || tile.dtype == DType::i32, "a lane or row index of type {}",
           tile.dtype);
    expect_extents(tile.rows, tile.lanes);
    return {tile};
  }
  Types operator()(const Call& call) const {
    const ScalarFunctionInfo& function = info(call.function);
    expect(call.operands.size() == static_cast<std::size_t>(function.arity),
           "{} takes {} operands, not {}", function.name, function.arity, call.operands.size());
    const DType dtype = type(call.operands.front()).dtype;
    expect(accepts(call.function, dtype), "{} does not accept {}", function.name, dtype);
    TileType shape;
    for (const ValueId operand : call.operands) {
      expect(type(operand).dtype == dtype, "{} of {} and {}", function.name, dtype,
             type(operand).dtype);
      widen(shape, operand, function.name);
    }
    return {{result_type(call.function, dtype), shape.rows, shape.lanes}};
  }
  Types operator()(const FusedMultiplyAdd& node) const {
    const DType dtype = type(node.a).dtype;
    expect(dtype == DType::f32 || dtype == DType::f64, "fused multiply-add of {}", dtype);
    expect(type(node.b).dtype == dtype && type(node.c).dtype == dtype,
           "fused multiply-add of {}, {} and {}", dtype, type(node.b).dtype, type(node.c).dtype);
    const TileType shape = common_shape({node.a, node.b, node.c}, "fused multiply-add");
    return {{dtype, shape.rows, shape.lanes}};
  }
  Types operator()(const Select& select) const {
    expect(type(select.predicate).dtype == DType::boolean, "select by a predicate of type {}",
           type(select.predicate).dtype);
    const DType dtype = type(select.on_true).dtype;
    expect(type(select.on_false).dtype == dtype, "select between {} and {}", dtype,
           type(select.on_false).dtype);
    const TileType shape =
        common_shape({select.predicate, select.on_true, select.on_false}, "select");
    return {{dtype, shape.rows, shape.lanes}};
  }
  Types operator()(const Cast& cast) const {
    TileType result = type(cast.operand);
    result.dtype = cast.dtype;
    return {result};
  }
  Types operator()(const Bitcast& cast) const {
    TileType result = type(cast.operand);
    expect(size_of(result.dtype) == size_of(cast.dtype) && !is_boolean(cast.dtype) &&
               !is_boolean(result.dtype),
           "bitcast from {} to {}", result.dtype, cast.dtype);
    result.dtype = cast.dtype;
    return {result};
  }
  Types operator()(const RandomWord& word) const {
    expect_scalar(word.key0, DType::u32, "a random key");
    expect_scalar(word.key1, DType::u32, "a random key");
    TileType result = type(word.index);
    expect(result.dtype == DType::i64, "a random index of type {}", result.dtype);
    result.dtype = DType::u32;
    return {result};
  }
  Types operator()(const Splat& splat) const {
    const TileType& from = type(splat.operand);
    expect_extents(splat.rows, splat.lanes);
    expect((from.rows == 1 || from.rows == splat.rows) &&
               (from.lanes == 1 || from.lanes == splat.lanes),
           "splat of {} to {} x {}", to_string(from), splat.rows, splat.lanes);
    return {{from.dtype, splat.rows, splat.lanes}};
  }
  Types operator()(const Load& load) const {
    expect_access(load.access);
    expect_extents(load.rows, load.lanes);
    expect(load.access.active_rows <= load.rows && load.access.active_lanes <= load.lanes,
           "a load of {}x{} with {}x{} active", load.rows, load.lanes, load.access.active_rows,
           load.access.active_lanes);
    const DType dtype = buffer(load.access.buffer).dtype;
    expect(load.fill.dtype == dtype, "a load of {} filled with {}", dtype, load.fill.dtype);
    return {{dtype, load.rows, load.lanes}};
  }
  Types operator()(const Store& store) const {
    expect_access(store.access);
    expect_written(store.access.buffer);
    const TileType& value = type(store.value);
    const Buffer& target = buffer(store.access.buffer);
    expect(value.dtype == target.dtype, "a store of {} to {}, which holds {}", value.dtype,
           target.name, target.dtype);
    expect(value.is_scalar() ||
               (store.access.active_rows <= value.rows && store.access.active_lanes <= value.lanes),
           "a store of {}x{} active elements of {}", store.access.active_rows,
           store.access.active_lanes, to_string(value));
    return {};
  }
  Types operator()(const LoadIndexed& load) const {
    TileType result = type(load.index);
    expect_index(load.index, load.mask);
    result.dtype = buffer(load.buffer).dtype;
    expect(load.fill.dtype == result.dtype, "a load of {} filled with {}", result.dtype,
           load.fill.dtype);
    return {result};
  }
  Types operator()(const StoreIndexed& store) const {
    expect_index(store.index, store.mask);
    expect_written(store.buffer);
    const TileType& value = type(store.value);
    const TileType& index = type(store.index);
    expect(value.dtype == buffer(store.buffer).dtype, "a store of {} to {}, which holds {}",
           value.dtype, buffer(store.buffer).name, buffer(store.buffer).dtype);
    expect(value.is_scalar() || (value.rows == index.rows && value.lanes == index.lanes),
           "a store of {} by an index of {}", to_string(value), to_string(index));
    return {};
  }
  Types operator()(const Fold& fold) const {
    TileType result = type(fold.tile);
    const ScalarFunction f = fold.function;
    expect(f == ScalarFunction::add || f == ScalarFunction::multiply ||
               f == ScalarFunction::minimum || f == ScalarFunction::maximum ||
               f == ScalarFunction::logical_and || f == ScalarFunction::logical_or,
           "a fold with {}", info(f).name);
    expect(accepts(f, result.dtype), "a fold of {} with {}", result.dtype, info(f).name);
    std::int64_t& extent = fold.axis == FoldAxis::lanes ? result.lanes : result.rows;
    expect(fold.active >= 1 && fold.active <= extent, "a fold of {} out of {} elements",
           fold.active, extent);
    extent = 1;
    return {result};
  }
  Types operator()(const Contract& contract) const {
    const TileType& accumulator = type(contract.accumulator);
    expect(!is_boolean(accumulator.dtype) && !is_narrow_float(accumulator.dtype),
           "a contraction that accumulates {}", accumulator.dtype);
    for (const BufferId id : {contract.lhs, contract.rhs}) {
      const DType dtype = buffer(id).dtype;
      expect(is_float(dtype) == is_float(accumulator.dtype) && !is_boolean(dtype) &&
                 size_of(dtype) <= size_of(accumulator.dtype),
             "a contraction of {} that accumulates {}", dtype, accumulator.dtype);
    }
    expect_scalar(contract.lhs_offset, DType::i64, "an offset");
    expect_scalar(contract.rhs_offset, DType::i64, "an offset");
    expect(contract.depth >= 0, "a contraction of depth {}", contract.depth);
    expect(contract.active_rows >= 0 && contract.active_rows <= accumulator.rows &&
               contract.active_lanes >= 0 && contract.active_lanes <= accumulator.lanes,
           "a contraction of {}x{} active elements of {}", contract.active_rows,
           contract.active_lanes, to_string(accumulator));
    return {accumulator};
  }
  Types operator()(const Prefetch& node) const {
    expect_access(node.access);
    return {};
  }
  Types operator()(const Barrier&) const { return {}; }
  Types operator()(const Loop& loop) const {
    expect(loop.extent >= 0, "a loop of {} iterations", loop.extent);
    expect(loop.body.arguments.size() == loop.initial.size() + 1 &&
               loop.body.yields.size() == loop.initial.size(),
           "a loop over {} values with {} arguments that yields {}", loop.initial.size(),
           loop.body.arguments.size(), loop.body.yields.size());
    expect_scalar(loop.body.arguments[0], DType::i64, "a loop's index");
    Types results;
    for (std::size_t i = 0; i < loop.initial.size(); ++i) {
      const TileType& carried = type(loop.initial[i]);
      expect(type(loop.body.arguments[i + 1]) == carried && type(loop.body.yields[i]) == carried,
             "a loop carries {} as {} and yields {}", to_string(carried),
             to_string(type(loop.body.arguments[i + 1])), to_string(type(loop.body.yields[i])));
      results.push_back(carried);
    }
    return results;
  }
  Types operator()(const If& node) const {
    expect_scalar(node.condition, DType::boolean, "a condition");
    expect(node.body.arguments.empty() && node.body.yields.empty(),
           "the body of an if takes and gives no values");
    return {};
  }
};

}  // namespace

std::vector<TileType> infer_types(const Kernel& kernel, const Instruction& instruction) {
  return std::visit(TypeRule{kernel}, instruction);
}

std::string to_string(const TileType& type) {
  if (type.is_scalar()) return std::string(name(type.dtype));
  return fmt::format("{}[{}x{}]", type.dtype, type.rows, type.lanes);
}

}  // namespace tenon::kernel
