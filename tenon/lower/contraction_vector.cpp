#include "tenon/base/error.h"
#include "tenon/lower/contraction.h"

namespace tenon::lower {

using kernel::ValueId;

namespace {

constexpr std::int64_t kFoldLanes = 64;  // of the contracted axis at once, whatever the target
constexpr std::int64_t kFoldRows = 4;
constexpr std::int64_t kVectorTileElements = 512;

ValueId multiply_add(Emitter& emitter, ValueId a, ValueId b, ValueId c) {
  if (is_float(emitter.type(c).dtype)) return emitter.builder().fused_multiply_add(a, b, c);
  return emitter.call(ScalarFunction::add, {emitter.call(ScalarFunction::multiply, {a, b}), c});
}

// Sums products lane by lane along the last contracted axis, then folds the lanes.
struct LaneFolder {
  Emitter& emitter;
  const Contraction& problem;
  kernel::BufferId lhs, rhs;
  std::int64_t lhs_row_step = 0, rhs_row_step = 0;
  std::int64_t rows = 1;
  std::int64_t lanes = 1, whole = 1, left = 0;  // of a tile, whole tiles, lanes of the last one

  ValueId load(kernel::BufferId from, ValueId offset, std::int64_t row_step, std::int64_t lane_step,
               std::int64_t width) const {
    const ValueId values =
        emitter.builder().load({from, offset, row_step, lane_step, rows, width}, rows, width);
    return emitter.builder().cast(values, problem.accumulate);
  }

  ValueId add_products(ValueId carried, ValueId lhs_offset, ValueId rhs_offset,
                       std::int64_t width) const {
    const ContractedAxis& axis = problem.contracted.back();
    return multiply_add(emitter, load(lhs, lhs_offset, lhs_row_step, axis.lhs, width),
                        load(rhs, rhs_offset, rhs_row_step, axis.rhs, width), carried);
  }

  // carried: accumulators of whole tiles, then of the last one.
  std::vector<ValueId> run(std::size_t level, ValueId lhs_offset, ValueId rhs_offset,
                           std::vector<ValueId> carried) const {
    const ContractedAxis& axis = problem.contracted[level];
    if (level + 1 < problem.contracted.size()) {
      const auto body = [&](ValueId i, std::span<const ValueId> values) {
        return run(level + 1, stepped(emitter, lhs_offset, i, axis.lhs),
                   stepped(emitter, rhs_offset, i, axis.rhs), {values.begin(), values.end()});
      };
      return emitter.loop(axis.extent, carried, body);
    }
    const auto body = [&](ValueId i, std::span<const ValueId> values) {
      return std::vector{add_products(values[0], stepped(emitter, lhs_offset, i, lanes * axis.lhs),
                                      stepped(emitter, rhs_offset, i, lanes * axis.rhs), lanes)};
    };
    carried[0] = emitter.loop(whole, std::array{carried[0]}, body)[0];
    if (left > 0) {
      const ValueId end = emitter.index_constant(DType::i64, whole);
      carried[1] = add_products(carried[1], stepped(emitter, lhs_offset, end, lanes * axis.lhs),
                                stepped(emitter, rhs_offset, end, lanes * axis.rhs), left);
    }
    return carried;
  }
};

}  // namespace

void lower_folded(Contraction& problem) {
  RegionWriter& writer = problem.writer;
  const AxisGroup* rows = problem.groups.empty() ? nullptr : &problem.groups.back();
  Tiling tiling = outer_groups(problem, nullptr, rows);
  if (rows != nullptr) {
    const std::int64_t most = writer.target().kind == Target::Kind::cpu ? kFoldRows : 1;
    tiling.push_back({*rows, tile_extent(rows->extent, most), Along::rows, false});
  }
  Emitter emitter(writer.context(), writer.kernel_name(""), problem.space, tile_count(tiling));
  LaneFolder folder{emitter, problem, {}, {}};
  folder.lhs = emitter.buffer(problem.lhs.memory, problem.lhs.type);
  folder.rhs = emitter.buffer(problem.rhs.memory, problem.rhs.type);
  const std::int64_t extent = problem.contracted.back().extent;
  folder.lanes = std::min(extent, kFoldLanes);
  folder.whole = extent / folder.lanes;
  folder.left = extent % folder.lanes;
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace>) {
    const std::int64_t tile_rows = emitter.frame().rows;
    const auto lhs_place = emitter.place(problem.lhs.place);
    const auto rhs_place = emitter.place(problem.rhs.place);
    check(lhs_place && rhs_place, "a contraction's operand does not step evenly");
    folder.rows = tile_rows;
    folder.lhs_row_step = lhs_place->row_step;
    folder.rhs_row_step = rhs_place->row_step;
    kernel::KernelBuilder& b = emitter.builder();
    const ValueId zero = emitter.constant(problem.accumulate, 0);
    std::vector<ValueId> carried{b.splat(zero, tile_rows, folder.lanes)};
    if (folder.left > 0) carried.push_back(b.splat(zero, tile_rows, folder.left));
    carried = folder.run(0, lhs_place->offset, rhs_place->offset, carried);
    ValueId total = b.fold(ScalarFunction::add, kernel::FoldAxis::lanes, carried[0], folder.lanes);
    if (folder.left > 0) {
      const ValueId rest =
          b.fold(ScalarFunction::add, kernel::FoldAxis::lanes, carried[1], folder.left);
      total = emitter.call(ScalarFunction::add, {total, rest});
    }
    write_epilogue(emitter, problem, total);
  });
  writer.add(std::move(emitter).finish());
}

namespace {

// One operand at the positions of the frame, contracted axes as in `indices`.
ValueId load_operand(Emitter& emitter, const ContractionOperand& operand, DType accumulate,
                     std::span<const ValueId> offsets) {
  Affine place = operand.place;
  for (const ValueId offset : offsets)
    place.runtime.push_back({offset, 1, {0, element_count(operand.type.shape) - 1}});
  const kernel::BufferId from = emitter.buffer(operand.memory, operand.type);
  return emitter.builder().cast(emitter.load(from, Index{std::move(place), {}, {}}), accumulate);
}

ValueId add_products(Emitter& emitter, const Contraction& problem, std::size_t level,
                     std::vector<ValueId> lhs, std::vector<ValueId> rhs, ValueId total) {
  if (level == problem.contracted.size()) {
    const ValueId a = load_operand(emitter, problem.lhs, problem.accumulate, lhs);
    const ValueId b = load_operand(emitter, problem.rhs, problem.accumulate, rhs);
    return multiply_add(emitter, a, b, total);
  }
  const ContractedAxis& axis = problem.contracted[level];
  const auto body = [&](ValueId i, std::span<const ValueId> carried) {
    const ValueId zero = emitter.index_constant(DType::i64, 0);
    std::vector<ValueId> next_lhs = lhs, next_rhs = rhs;
    next_lhs.push_back(stepped(emitter, zero, i, axis.lhs));
    next_rhs.push_back(stepped(emitter, zero, i, axis.rhs));
    return std::vector{add_products(emitter, problem, level + 1, std::move(next_lhs),
                                    std::move(next_rhs), carried[0])};
  };
  return emitter.loop(axis.extent, std::array{total}, body)[0];
}

}  // namespace

void lower_multiplied(Contraction& problem, const AxisGroup& lanes) {
  RegionWriter& writer = problem.writer;
  const AxisGroup* rows = nullptr;
  for (const AxisGroup& group : problem.groups)
    if (&group != &lanes && role_of(problem, group) != GroupRole::batch) rows = &group;
  Tiling tiling = outer_groups(problem, &lanes, rows);
  const std::int64_t width =
      tile_extent(lanes.extent, std::max<std::int64_t>(128, writer.target().team));
  tiling.push_back({lanes, width, Along::lanes, false});
  if (rows != nullptr) {
    const std::int64_t room = std::max<std::int64_t>(kVectorTileElements / width, 1);
    const bool is_cpu = writer.target().kind == Target::Kind::cpu;
    tiling.push_back({*rows, is_cpu ? tile_extent(rows->extent, room) : 1, Along::rows, false});
  }
  Emitter emitter(writer.context(), writer.kernel_name(""), problem.space, tile_count(tiling));
  write_tile(emitter, tiling, emitter.builder().instance(), [&](std::span<const TilePlace>) {
    const ValueId zero = emitter.full_tile(emitter.constant(problem.accumulate, 0));
    write_epilogue(emitter, problem, add_products(emitter, problem, 0, {}, {}, zero));
  });
  writer.add(std::move(emitter).finish());
}

}  // namespace tenon::lower
