#include "tenon/lower/emitter.h"

#include <algorithm>
#include <limits>

#include "tenon/base/error.h"

namespace tenon::lower {

using kernel::BufferId;
using kernel::ValueId;

namespace {

constexpr int kDeepestExpression = 2000;

constexpr std::int64_t kMostForI32 = std::numeric_limits<std::int32_t>::max() / 2;

// i32 indices vectorise better, where they suffice.
DType index_type_for(const Context& context, const Space& space) {
  std::int64_t count = 1;
  for (const SpaceAxis& axis : space) {
    if (count > kMostForI32 / std::max<std::int64_t>(axis.extent, 1)) return DType::i64;
    count *= std::max<std::int64_t>(axis.extent, 1);
  }
  return context.index_type;
}

}  // namespace

DType choose_index_type(const Target& target, const ir::Graph& graph,
                        std::span<const std::uint32_t> nodes) {
  if (!target.options.narrow_indices) return DType::i64;
  const auto is_large = [&](ir::Value value) {
    return element_count(graph.type(value).shape) > kMostForI32;
  };
  for (const std::uint32_t node : nodes) {
    if (std::ranges::any_of(graph.node(node).operands, is_large)) return DType::i64;
    for (std::uint32_t i = 0; i < graph.node(node).results.size(); ++i)
      if (is_large({node, i})) return DType::i64;
  }
  return DType::i32;
}

Emitter::Emitter(const Context& context, std::string name, Space space, std::int64_t grid)
    : context_(context),
      builder_(std::move(name), grid, context.target.team),
      space_(std::move(space)),
      index_type_(index_type_for(context, space_)) {}

void Emitter::scoped(const std::function<void()>& body) {
  const State saved = state_;
  memo_.emplace_back();
  body();
  memo_.pop_back();
  state_ = saved;
}

std::vector<ValueId> Emitter::loop(
    std::int64_t extent, std::span<const ValueId> initial,
    const std::function<std::vector<ValueId>(ValueId, std::span<const ValueId>)>& body) {
  return builder_.loop(extent, initial, [&](ValueId index, std::span<const ValueId> carried) {
    std::vector<ValueId> next;
    scoped([&] { next = body(index, carried); });
    return next;
  });
}

void Emitter::repeat(std::int64_t extent, const std::function<void(ValueId)>& body) {
  loop(extent, {}, [&](ValueId i, std::span<const ValueId>) {
    body(i);
    return std::vector<ValueId>{};
  });
}
void Emitter::if_true(ValueId condition, const std::function<void()>& body) {
  builder_.if_true(condition, [&] { scoped(body); });
}

void Emitter::bind(AxisGroup group, ValueId base, Along along) {
  state_.bound.push_back({std::move(group), base, along});
}

void Emitter::set_known(ir::Value value, ValueId tile, Affine at) {
  state_.known.insert_or_assign(value, Known{tile, std::move(at)});
}

std::optional<ValueId> Emitter::find(const Key& key) const {
  for (std::size_t i = memo_.size(); i-- > 0;)
    if (const auto found = memo_[i].find(key); found != memo_[i].end()) return found->second;
  return std::nullopt;
}

void Emitter::remember(Key key, ValueId value) {
  memo_.back().insert_or_assign(std::move(key), value);
}

void Emitter::append(Key& key, const Affine& affine) {
  key.push_back(affine.constant);
  key.insert(key.end(), affine.coefficients.begin(), affine.coefficients.end());
  for (const RuntimeTerm& term : affine.runtime) {
    key.push_back(term.value.index);
    key.push_back(term.coefficient);
  }
}

std::optional<Affine> Emitter::affine_flat(const Position& position) const {
  if (position.flat) {
    if (position.flat->tile) return std::nullopt;
    return position.flat->affine;
  }
  Affine total = constant_affine(space_, 0);
  const Shape strides = row_major_strides(position.shape);
  for (std::size_t i = 0; i < strides.size(); ++i) {
    if (position.shape[i] == 1) continue;
    if (position.axes[i]->tile) return std::nullopt;
    total = sum(std::move(total), scaled(position.axes[i]->affine, strides[i]));
  }
  return total;
}

Emitter::Key Emitter::key_of(ir::Value value, const Position& position) const {
  Key key{-1, value.node, value.result};
  const auto append_index = [&](const Index& index) {
    key.push_back(index.tile ? 1 : 0);
    if (index.tile)
      key.push_back(index.tile->index);
    else
      append(key, index.affine);
  };
  if (const auto affine = affine_flat(position)) {
    key.push_back(-1);
    append(key, *affine);
  } else if (position.flat) {
    append_index(*position.flat);
  } else {
    key.push_back(-2);
    for (const auto& axis : position.axes) append_index(*axis);
  }
  return key;
}

ValueId Emitter::value(ir::Value value, const Position& position) {
  check(++depth_ < kDeepestExpression, "a region nests values too deeply");
  const auto known = state_.known.find(value);
  if (known != state_.known.end()) {
    const auto at = affine_flat(position);
    check(at.has_value() && *at == known->second.at,
          "%{} is needed at another place than where its kernel has it", value.node);
    --depth_;
    return known->second.tile;
  }
  Key key = key_of(value, position);
  std::optional<ValueId> result = find(key);
  if (!result) {
    const auto stored = context_.memory.find(value);
    if (stored != context_.memory.end()) {
      const BufferId from = declare(stored->second, context_.type(value), false);
      result = load(from, flat(position));
    } else {
      result = element({*this, context_.graph.node(value.node), value, position});
    }
    remember(std::move(key), *result);
  }
  --depth_;
  return *result;
}

ValueId Emitter::value_at(ir::Value at, const Affine& flat) {
  return value(at, flat_position(context_.type(at).shape, flat));
}

std::optional<ValueId> Emitter::active_mask() {
  const Frame& size = frame();
  std::optional<ValueId> mask;
  const auto limit = [&](std::int64_t active, std::int64_t full, Along along) {
    if (active == full) return;
    const ValueId below =
        call(ScalarFunction::less, {numbers(along), index_constant(index_type_, active)});
    mask = mask ? call(ScalarFunction::logical_and, {*mask, below}) : below;
  };
  limit(size.active_lanes, size.lanes, Along::lanes);
  limit(size.active_rows, size.rows, Along::rows);
  return mask;
}

LoweredRegion Emitter::finish() && {
  LoweredRegion region;
  for (const Use& use : uses_) region.arguments.push_back(use.argument);
  add_in_place_pairs(region);
  region.kernel = std::move(builder_).finish(0);
  region.kernel.cost = estimate_cost(region.kernel);
  return region;
}

Position flat_position(Shape shape, Affine flat) {
  Position position{std::move(shape), Index{std::move(flat), {}, {}}, {}};
  position.axes.resize(position.shape.size());
  return position;
}

}  // namespace tenon::lower
