#include "tenon/lower/contraction_sums.h"

#include <algorithm>

namespace tenon::lower {

namespace {

constexpr std::int64_t kLeastSumDepth = 1024;  // of all places; less is not worth a second kernel
constexpr std::int64_t kLeastSumBlockDepth = 512;
constexpr std::int64_t kMostSumBlocks = 32;
constexpr std::int64_t kMostSums = 131072;  // of one block
constexpr std::int64_t kMostSumStripBytes = std::int64_t{1} << 17;
constexpr std::int64_t kLeastSumPlaces = 64, kMostSumPlaces = 256;  // between loading sums
constexpr std::int64_t kGoodSumBytes = std::int64_t{32} << 10;      // of what a tile reads
constexpr std::int64_t kMostSumVectors = 4;                         // of a row of a tile

std::size_t index_of(std::int64_t axis) { return static_cast<std::size_t>(axis); }

// [images, spatial..., features] in memory, the images summed over.
bool sums_over_images(const ir::Convolution& op) {
  const std::size_t spatial = op.input_spatial.size();
  if (spatial < 2 || op.input_feature != 0) return false;
  if (op.input_batch != static_cast<std::int64_t>(spatial) + 1) return false;
  for (std::size_t i = 0; i < spatial; ++i)
    if (op.input_spatial[i] != static_cast<std::int64_t>(i) + 1) return false;
  return true;
}

std::int64_t choose_sum_blocks(std::int64_t images, std::int64_t depth) {
  if (depth < kLeastSumDepth) return 1;
  return divisor_within(images, 2, std::min(kMostSumBlocks, depth / kLeastSumBlockDepth))
      .value_or(1);
}

}  // namespace

// Measured: a multiply-add with an operand in memory takes a third longer than one in registers.
SumTile choose_sum_tile(const Target& target, DType accumulate, std::int64_t rows,
                        std::int64_t lanes) {
  const std::int64_t vector = std::max<std::int64_t>(
      target.vector_bytes / static_cast<std::int64_t>(size_of(accumulate)), 1);
  if (!target.options.fill_registers) return {false, {1, vector}, 1};
  const std::int64_t vectors = ceil_divide(lanes, vector);
  std::optional<SumTile> best;
  for (std::int64_t widest = 1; widest <= std::min(vectors, kMostSumVectors); ++widest) {
    const std::int64_t tiles = ceil_divide(vectors, widest);
    const std::int64_t wide = ceil_divide(vectors, tiles);
    const std::int64_t most = (target.registers - 1 - wide) / wide;
    if (most < 1) break;
    const std::int64_t row_tiles = ceil_divide(rows, most);
    const std::int64_t tall =
        rows <= most
            ? rows
            : divisor_within(rows, (most * 3 + 4) / 5, most).value_or(ceil_divide(rows, row_tiles));
    const auto number = [](std::int64_t n) { return static_cast<double>(n); };
    const double loads = number(wide + tall) / number(wide * tall);
    const double idle = std::max(8.0 / number(wide * tall), 1.0);  // multiply-adds take four cycles
    const double wasted = number(vectors * vector) / number(lanes);
    const SumTile tile{false, {tall, wide * vector}, (1 + 0.3 * loads) * idle * wasted};
    if (!best || tile.cost < best->cost) best = tile;
  }
  return *best;
}

std::optional<SumGroups> find_sum_groups(const Contraction& problem) {
  SumGroups found;
  for (const AxisGroup& group : problem.groups) {
    switch (role_of(problem, group)) {
      case GroupRole::batch: return std::nullopt;
      case GroupRole::rows:
        if (step_of(problem.lhs.place, group, problem.space) == 1) found.input = &group;
        break;
      case GroupRole::lanes:
        if (found.other != nullptr) return std::nullopt;
        found.other = &group;
        break;
    }
  }
  if (found.input == nullptr || found.other != &problem.groups.back()) return std::nullopt;
  if (step_of(problem.rhs.place, *found.other, problem.space) != 1) return std::nullopt;
  return found;
}

SumWalk walk_over(const Contraction& problem) {
  const ir::Convolution& op = *problem.padded->op;
  const ir::Node& node = problem.writer.graph().node(problem.result.node);
  const Shape& kernel = problem.writer.type(node.operands[1]).shape;
  const Shape& result = problem.writer.type(problem.result).shape;
  const Shape& padded = problem.lhs.type.shape;
  const Shape input_strides = row_major_strides(padded), kernel_strides = row_major_strides(kernel);
  const auto kernel_axis = [&](std::int64_t axis) { return kernel_strides[index_of(axis)]; };
  SumWalk walk;
  walk.images = {kernel[index_of(op.kernel_input)], input_strides[0], kernel_axis(op.kernel_input)};
  for (std::size_t i = 0; i < op.input_spatial.size(); ++i)
    walk.spatial.push_back({kernel[index_of(op.kernel_spatial[i])],
                            op.window_dilation[i] * input_strides[index_of(op.input_spatial[i])],
                            kernel_axis(op.kernel_spatial[i])});
  walk.row_elements = input_strides[1];
  walk.row_step = op.window_dilation[0];
  walk.window = (result[index_of(op.output_spatial[0])] - 1) * op.strides[0] + 1;
  std::int64_t row_places = 1;
  for (std::size_t i = 1; i < walk.spatial.size(); ++i) row_places *= walk.spatial[i].extent;
  const std::int64_t rows = walk.spatial[0].extent;
  walk.blocks = choose_sum_blocks(walk.images.extent, walk.images.extent * rows * row_places);
  // Features of a place, of which a tile reads one window.
  const auto element = static_cast<std::int64_t>(size_of(problem.lhs.type.dtype));
  const std::int64_t place_bytes = std::min<std::int64_t>(padded.back() * element, 192);
  const std::int64_t places =
      std::clamp(kGoodSumBytes / place_bytes, kLeastSumPlaces, kMostSumPlaces);
  const std::int64_t most_rows = std::max<std::int64_t>(places / row_places, 1);
  walk.rows_at_once =
      rows <= most_rows ? rows
                        : divisor_within(rows, (most_rows + 1) / 2, most_rows).value_or(most_rows);
  if (walk.rows_at_once == rows) {
    const std::int64_t block_images = walk.images.extent / walk.blocks;
    const std::int64_t strip = walk.strip_elements() * element;
    walk.images_at_once =
        divisor_within(block_images, 1,
                       std::min(std::max<std::int64_t>(places / (rows * row_places), 1),
                                std::max<std::int64_t>(kMostSumStripBytes / strip, 1)))
            .value_or(1);
  }
  return walk;
}

bool can_sum_in_strips(const Contraction& problem) {
  if (!problem.padded || !problem.padded->phased.empty()) return false;
  if (problem.writer.target().kind != Target::Kind::cpu) return false;
  if (!problem.writer.options().sum_in_strips) return false;
  const ir::Convolution& op = *problem.padded->op;
  const auto is_one = [](std::int64_t n) { return n == 1; };
  const auto is_negative = [](std::int64_t n) { return n < 0; };
  if (op.feature_groups != 1 || op.batch_groups != 1 || !sums_over_images(op)) return false;
  if (!std::ranges::all_of(op.base_dilation, is_one) || std::ranges::any_of(op.low, is_negative) ||
      std::ranges::any_of(op.high, is_negative))
    return false;
  if (!is_float(problem.accumulate) || problem.result_count() > kMostSums) return false;
  if (!find_sum_groups(problem)) return false;
  const SumWalk walk = walk_over(problem);
  return walk.blocks > 1 &&
         walk.strip_elements() * static_cast<std::int64_t>(size_of(problem.lhs.type.dtype)) <=
             kMostSumStripBytes;
}

}  // namespace tenon::lower
