#include <set>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/c_printer.h"
#include "tenon/codegen/c_syntax.h"
#include "tenon/codegen/emit.h"
#include "tenon/kernel/builder.h"
#include "tenon/kernel/operands.h"

namespace tenon::codegen {

using namespace kernel;

// Masks are static, so a run over a partly active tile becomes one loop nest per rectangle in
// which every access is either active or not: no condition is left, and nothing is read outside.
std::vector<KernelPrinter::Segment> CPrinter::segments(const Block& block, std::size_t begin,
                                                       std::size_t end,
                                                       const Extents& extents) const {
  std::set<std::int64_t> row_cuts = {0, extents.rows}, lane_cuts = {0, extents.lanes};
  for (std::size_t i = begin; i < end; ++i) {
    const Access* access = nullptr;
    if (const auto* load = std::get_if<Load>(&block.statements[i].instruction))
      access = &load->access;
    if (const auto* store = std::get_if<Store>(&block.statements[i].instruction))
      access = &store->access;
    if (!access || !lane_parallel_extents(kernel_, block.statements[i])) continue;
    row_cuts.insert(access->active_rows);
    lane_cuts.insert(access->active_lanes);
  }
  std::vector<Segment> result;
  for (auto row = row_cuts.begin(); std::next(row) != row_cuts.end(); ++row)
    for (auto lane = lane_cuts.begin(); std::next(lane) != lane_cuts.end(); ++lane)
      result.push_back({*row, *std::next(row), *lane, *std::next(lane)});
  return result;
}

void CPrinter::open_element_loop(const Extents& extents, const Segment& segment) {
  if (extents.rows > 1) {
    if (extents.lanes == 1) print_independent();
    open(fmt::format("for (int64_t r = {}; r < {}; ++r) {{", segment.row_begin, segment.row_end));
  }
  if (extents.lanes > 1) {
    print_independent();
    open(fmt::format("for (int64_t l = {}; l < {}; ++l) {{", segment.lane_begin, segment.lane_end));
  }
}

void CPrinter::close_element_loop(const Extents& extents, const Segment&) {
  if (extents.lanes > 1) close();
  if (extents.rows > 1) close();
}

std::string CPrinter::condition(const Segment& segment, const Extents&, std::int64_t rows,
                                std::int64_t lanes) const {
  return segment.row_end <= rows && segment.lane_end <= lanes ? "" : "0";
}

std::string CPrinter::array_element(const std::string& array, const TileType& type) const {
  if (type.lanes == 1) return fmt::format("{}[r]", array);
  if (type.rows == 1) return fmt::format("{}[l]", array);
  return fmt::format("{}[r * {} + l]", array, type.lanes);
}

std::string CPrinter::print() {
  std::vector<std::string> parameters = {
      fmt::format("const int64_t {}", scalar_name(kernel_.body.arguments.front()))};
  std::vector<std::string> arguments = {"instance"};
  for (std::uint32_t i = 0; i < kernel_.buffers.size(); ++i) {
    const Buffer& argument = kernel_.buffers[i];
    if (argument.space != Space::argument) continue;
    bool is_alone = options_.tell_independence;
    for (std::uint32_t other = 0; other < kernel_.buffers.size(); ++other)
      is_alone = is_alone && (other == i || !may_alias(kernel_, {i}, {other}));
    const std::string pointer =
        fmt::format("{}{}*", argument.is_written ? "" : "const ", c_element_type(argument.dtype));
    parameters.push_back(fmt::format("{}{} {}", pointer, is_alone ? " restrict" : "", buffer({i})));
    arguments.push_back(fmt::format("({})arguments[{}]", pointer, i));
  }
  text_ = comment_lines(kernel_);
  open(fmt::format("static inline void {}_instance({}) {{", kernel_.name, join(parameters, ", ")));
  for (std::uint32_t i = 0; i < kernel_.buffers.size(); ++i)
    if (kernel_.buffers[i].space == Space::shared && kernel_.buffers[i].elements > 0)
      line(fmt::format("{} {}[{}]{};", c_element_type(kernel_.buffers[i].dtype), buffer({i}),
                       kernel_.buffers[i].elements, array_attributes()));
  print_block(kernel_.body);
  close();
  line("");
  open(fmt::format("static void {}(void* const* arguments, int64_t first, int64_t last) {{",
                   kernel_.name));
  if (arguments.size() == 1) line("(void)arguments;");
  open("for (int64_t instance = first; instance < last; ++instance)");
  line(fmt::format("{}_instance({});", kernel_.name, join(arguments, ", ")));
  --depth_;
  close();
  return text_;
}

namespace {

constexpr std::int64_t kPartials = 16;          // kernel::Fold's
constexpr std::int64_t kExtremePartials = 64;   // four times as many vectors in flight
constexpr std::int64_t kFoldForExtremes = 256;  // elements that make up for a longer tree

// Any order gives the same extreme (up to the payload of a NaN), so there may be more partials than
// kernel::Fold says: minima and maxima of floats are long chains of instructions.
std::int64_t lane_partials(ScalarFunction f, std::int64_t count, bool widens_extremes) {
  const bool is_extreme = f == ScalarFunction::minimum || f == ScalarFunction::maximum;
  return std::min(
      widens_extremes && is_extreme && count >= kFoldForExtremes ? kExtremePartials : kPartials,
      count);
}

}  // namespace

// Partials first, each over every 16th element in order, then the tree: kernel::Fold's order (but
// for long extremes), and independent chains for the compiler to put into vectors.
void CPrinter::print_lane_fold(const Fold& fold, ValueId result) {
  const TileType& tile = type(fold.tile);
  const DType dtype = tile.dtype;
  const std::int64_t count = fold.active;
  const std::int64_t partials = lane_partials(fold.function, count, options_.widen_extremes);
  const std::string row = tile.rows > 1 ? fmt::format("r * {} + ", tile.lanes) : "";
  const std::string& array = storage(fold.tile).text;
  const auto combine = [&](const std::string& other) {
    return fmt::format("p[j] = {};", call_text(fold.function, dtype, {"p[j]", other}));
  };
  if (tile.rows > 1) {
    declare_array(result);
    storage(result) = {Storage::Kind::array, array_name(result)};
    open(fmt::format("for (int64_t r = 0; r < {}; ++r) {{", tile.rows));
  } else {
    line(fmt::format("{} {};", c_element_type(dtype), scalar_name(result)));
    storage(result) = {Storage::Kind::uniform, scalar_name(result)};
    open("{");
  }
  line(fmt::format("// {} over {} lanes", info(fold.function).name, count));
  line(fmt::format("{} p[{}]{};", c_element_type(dtype), partials, array_attributes()));
  line(fmt::format("for (int j = 0; j < {}; ++j) p[j] = {}[{}j];", partials, array, row));
  const std::int64_t whole = count / partials * partials;
  if (whole > partials) {
    open(fmt::format("for (int64_t l = {0}; l < {1}; l += {0}) {{", partials, whole));
    line(fmt::format("for (int j = 0; j < {}; ++j) {}", partials,
                     combine(fmt::format("{}[{}l + j]", array, row))));
    close();
  }
  if (count > whole)
    line(fmt::format("for (int j = 0; j < {}; ++j) {}", count - whole,
                     combine(fmt::format("{}[{}{} + j]", array, row, whole))));
  for (std::int64_t step = std::max(partials, kPartials) / 2, left = partials; step >= 1;
       step /= 2) {
    if (left <= step) continue;
    line(fmt::format("for (int j = 0; j < {}; ++j) {}", left - step,
                     combine(fmt::format("p[j + {}]", step))));
    left = step;
  }
  line(fmt::format("{} = p[0];", tile.rows > 1 ? array_name(result) + "[r]" : scalar_name(result)));
  close();
}

// Rows lie one behind another, so 16 of them, and what the tree combines of them, are one long run
// of elements: one loop, whatever the number of lanes.
void CPrinter::print_row_fold(const Fold& fold, ValueId result) {
  const TileType& tile = type(fold.tile);
  const std::int64_t count = fold.active, lanes = tile.lanes;
  const std::int64_t partials = std::min<std::int64_t>(16, count);
  const std::string& array = storage(fold.tile).text;
  const auto combine = [&](std::int64_t rows, const std::string& other) {
    print_independent();
    line(fmt::format("for (int64_t j = 0; j < {}; ++j) p[j] = {};", rows * lanes,
                     call_text(fold.function, tile.dtype, {"p[j]", other})));
  };
  const std::string_view c_type = c_element_type(tile.dtype);
  if (lanes > 1) {
    declare_array(result);
    storage(result) = {Storage::Kind::array, array_name(result)};
  } else {
    line(fmt::format("{} {};", c_type, scalar_name(result)));
    storage(result) = {Storage::Kind::uniform, scalar_name(result)};
  }
  open("{");
  line(fmt::format("// {} over {} rows", info(fold.function).name, count));
  line(fmt::format("{} p[{}]{};", c_type, partials * lanes, array_attributes()));
  line(fmt::format("for (int64_t j = 0; j < {}; ++j) p[j] = {}[j];", partials * lanes, array));
  const std::int64_t whole = count / 16 * 16;
  if (whole > 16) {
    open(fmt::format("for (int64_t r = 16; r < {}; r += 16) {{", whole));
    combine(16, fmt::format("{}[r * {} + j]", array, lanes));
    close();
  }
  if (whole >= 16 && count > whole)
    combine(count - whole, fmt::format("{}[{} + j]", array, whole * lanes));
  for (std::int64_t step = 8, left = partials; step >= 1; step /= 2) {
    if (left <= step) continue;
    combine(left - step, fmt::format("p[j + {}]", step * lanes));
    left = step;
  }
  if (lanes > 1)
    line(fmt::format("for (int64_t l = 0; l < {}; ++l) {}[l] = p[l];", lanes, array_name(result)));
  else
    line(fmt::format("{} = p[0];", scalar_name(result)));
  close();
}

void CPrinter::print_fold(const Fold& fold, ValueId result) {
  if (fold.axis == FoldAxis::lanes)
    print_lane_fold(fold, result);
  else
    print_row_fold(fold, result);
}

// Once for each cache line of a row, to the second cache: that is where the time goes.
void CPrinter::print_prefetch(const Prefetch& prefetch, const Block& block, std::size_t position) {
  if (is_spread(block, position)) return;
  const Access& access = prefetch.access;
  const DType dtype = kernel_.buffers[access.buffer.index].dtype;
  const auto line_elements = static_cast<std::int64_t>(64 / size_of(dtype));
  const std::int64_t step = std::max<std::int64_t>(
      line_elements / std::max<std::int64_t>(std::abs(access.lane_stride), 1), 1);
  if (access.active_rows * access.active_lanes == 0) return;
  if (access.active_rows > 1)
    open(fmt::format("for (int64_t r = 0; r < {}; ++r) {{", access.active_rows));
  const bool is_loop = access.active_lanes > step;
  if (is_loop)
    open(fmt::format("for (int64_t l = 0; l < {}; l += {}) {{", access.active_lanes, step));
  line(fmt::format("__builtin_prefetch(&{}, 0, 2);",
                   place_text(access.buffer, access.offset, access.row_stride, access.lane_stride,
                              {access.active_rows, is_loop ? access.active_lanes : 1})));
  if (is_loop) close();
  if (access.active_rows > 1) close();
}

std::string emit_c(const Kernel& kernel, const KernelOptions& options) {
  Kernel early = kernel;
  if (options.raise_scalars) raise_scalars(early);
  return CPrinter(early, options).print();
}

}  // namespace tenon::codegen
