#include "tests/codegen/evaluate_kernel.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tenon/base/scalar_evaluate.h"
#include "tenon/base/threefry.h"

namespace tenon::codegen {

using namespace kernel;

namespace {

class KernelEvaluator {
 public:
  KernelEvaluator(const Kernel& kernel, std::span<HostTensor* const> arguments)
      : kernel_(kernel), values_(kernel.values.size()) {
    for (const Buffer& buffer : kernel.buffers)
      if (buffer.space == Space::shared)
        shared_.push_back(HostTensor({buffer.dtype, {buffer.elements}}));
    std::size_t argument = 0, shared = 0;
    for (const Buffer& buffer : kernel.buffers)
      memory_.push_back(buffer.space == Space::argument ? arguments[argument++]
                                                        : &shared_[shared++]);
  }
  void run(std::int64_t instance) {
    value(kernel_.body.arguments[0]) = integer(instance);
    block(kernel_.body);
  }

 private:
  HostTensor& value(ValueId id) { return values_[id.index]; }
  const TileType& type(ValueId id) const { return kernel_.type(id); }
  static HostTensor tile(const TileType& type) {
    return HostTensor({type.dtype, {type.rows, type.lanes}});
  }
  static HostTensor integer(std::int64_t number) {
    return make_tensor<std::int64_t>({1, 1}, {number});
  }
  std::int64_t index_at(ValueId id, std::int64_t at) {
    if (type(id).is_scalar()) at = 0;
    if (type(id).dtype == DType::i32) return value(id).as<std::int32_t>()[at];
    if (type(id).dtype == DType::boolean) return value(id).as<bool>()[at];
    return value(id).as<std::int64_t>()[at];
  }
  // Copies one element between tensors of one type.
  static void copy(HostTensor& to, std::int64_t at, const HostTensor& from, std::int64_t from_at) {
    ASSERT_EQ(to.dtype(), from.dtype());
    ASSERT_TRUE(at >= 0 && at < to.size()) << at << " of " << to.size();
    ASSERT_TRUE(from_at >= 0 && from_at < from.size()) << from_at << " of " << from.size();
    const std::size_t size = size_of(to.dtype());
    std::memcpy(to.bytes().data() + at * size, from.bytes().data() + from_at * size, size);
  }
  static void set_bits(HostTensor& to, std::int64_t at, const Literal& literal) {
    std::memcpy(to.bytes().data() + at * size_of(to.dtype()), &literal.bits, size_of(to.dtype()));
  }
  // The value as a whole tile of the given extents, a scalar repeated.
  HostTensor spread(ValueId id, const TileType& shape) {
    HostTensor result = tile({type(id).dtype, shape.rows, shape.lanes});
    for (std::int64_t i = 0; i < result.size(); ++i)
      copy(result, i, value(id), type(id).is_scalar() ? 0 : i);
    return result;
  }
  static HostTensor apply(ScalarFunction f, const HostTensor& a, const HostTensor& b) {
    const HostTensor* operands[] = {&a, &b};
    return evaluate_scalar_function(f, operands);
  }

  void block(const Block& body) {
    for (const Statement& statement : body.statements) {
      HostTensor result;
      if (statement.results.size() == 1) result = tile(type(statement.results[0]));
      std::visit([&](const auto& node) { step(node, statement, result); }, statement.instruction);
      if (statement.results.size() == 1 && !std::holds_alternative<Loop>(statement.instruction))
        value(statement.results[0]) = std::move(result);
    }
  }
  void step(const Literal& node, const Statement&, HostTensor& result) {
    set_bits(result, 0, node);
  }
  template <class Number>
  void count(HostTensor& result, bool is_lane, std::int64_t lanes) {
    for (std::int64_t i = 0; i < result.size(); ++i)
      result.as<Number>()[i] = static_cast<Number>(is_lane ? i % lanes : i / lanes);
  }
  void step(const LaneIndex& node, const Statement&, HostTensor& result) {
    if (node.type.dtype == DType::i32)
      count<std::int32_t>(result, true, node.type.lanes);
    else
      count<std::int64_t>(result, true, node.type.lanes);
  }
  void step(const RowIndex& node, const Statement&, HostTensor& result) {
    if (node.type.dtype == DType::i32)
      count<std::int32_t>(result, false, node.type.lanes);
    else
      count<std::int64_t>(result, false, node.type.lanes);
  }
  void step(const Call& node, const Statement& statement, HostTensor& result) {
    std::vector<HostTensor> operands;
    for (const ValueId operand : node.operands)
      operands.push_back(spread(operand, type(statement.results[0])));
    std::vector<const HostTensor*> pointers;
    for (const HostTensor& operand : operands) pointers.push_back(&operand);
    result = evaluate_scalar_function(node.function, pointers);
  }
  void step(const FusedMultiplyAdd& node, const Statement& statement, HostTensor& result) {
    const TileType& shape = type(statement.results[0]);
    const HostTensor a = spread(node.a, shape), b = spread(node.b, shape),
                     c = spread(node.c, shape);
    for (std::int64_t i = 0; i < result.size(); ++i) {
      if (shape.dtype == DType::f32)
        result.as<float>()[i] = std::fma(a.as<float>()[i], b.as<float>()[i], c.as<float>()[i]);
      else
        result.as<double>()[i] = std::fma(a.as<double>()[i], b.as<double>()[i], c.as<double>()[i]);
    }
  }
  void step(const Select& node, const Statement& statement, HostTensor& result) {
    const TileType& shape = type(statement.results[0]);
    const HostTensor on_true = spread(node.on_true, shape), on_false = spread(node.on_false, shape);
    for (std::int64_t i = 0; i < result.size(); ++i)
      copy(result, i, index_at(node.predicate, i) ? on_true : on_false, i);
  }
  void step(const Cast& node, const Statement&, HostTensor& result) {
    result = converted(value(node.operand), node.dtype);
  }
  void step(const Bitcast& node, const Statement&, HostTensor& result) {
    const HostTensor& from = value(node.operand);
    std::memcpy(result.bytes().data(), from.bytes().data(), from.bytes().size());
  }
  void step(const RandomWord& node, const Statement&, HostTensor& result) {
    const auto key0 = value(node.key0).as<std::uint32_t>()[0];
    const auto key1 = value(node.key1).as<std::uint32_t>()[0];
    for (std::int64_t i = 0; i < result.size(); ++i)
      result.as<std::uint32_t>()[i] =
          random_word(key0, key1, static_cast<std::uint64_t>(index_at(node.index, i)));
  }
  void step(const Splat& node, const Statement& statement, HostTensor& result) {
    result = spread(node.scalar, type(statement.results[0]));
  }
  template <class Visit>
  void for_each_active(const Access& access, Visit visit) {
    const std::int64_t offset = index_at(access.offset, 0);
    for (std::int64_t r = 0; r < access.active_rows; ++r)
      for (std::int64_t l = 0; l < access.active_lanes; ++l)
        visit(r, l, offset + r * access.row_stride + l * access.lane_stride);
  }
  HostTensor& memory(BufferId id) { return *memory_[id.index]; }
  void step(const Load& node, const Statement&, HostTensor& result) {
    for (std::int64_t i = 0; i < result.size(); ++i) set_bits(result, i, node.fill);
    for_each_active(node.access, [&](std::int64_t r, std::int64_t l, std::int64_t place) {
      copy(result, r * node.lanes + l, memory(node.access.buffer), place);
    });
  }
  void step(const Store& node, const Statement&, HostTensor&) {
    const TileType& shape = type(node.value);
    for_each_active(node.access, [&](std::int64_t r, std::int64_t l, std::int64_t place) {
      copy(memory(node.access.buffer), place, value(node.value),
           shape.is_scalar() ? 0 : r * shape.lanes + l);
    });
  }
  void step(const LoadIndexed& node, const Statement&, HostTensor& result) {
    for (std::int64_t i = 0; i < result.size(); ++i) {
      if (node.mask && !index_at(*node.mask, i))
        set_bits(result, i, node.fill);
      else
        copy(result, i, memory(node.buffer), index_at(node.index, i));
    }
  }
  void step(const StoreIndexed& node, const Statement&, HostTensor&) {
    for (std::int64_t i = 0; i < value(node.index).size(); ++i)
      if (!node.mask || index_at(*node.mask, i))
        copy(memory(node.buffer), index_at(node.index, i), value(node.value),
             type(node.value).is_scalar() ? 0 : i);
  }
  void step(const Fold& node, const Statement&, HostTensor& result) {
    const TileType& shape = type(node.tile);
    const bool over_lanes = node.axis == FoldAxis::lanes;
    const std::int64_t lines = over_lanes ? shape.rows : shape.lanes;
    for (std::int64_t at = 0; at < lines; ++at) {
      std::vector<HostTensor> partials;
      for (std::int64_t i = 0; i < node.active; ++i) {
        HostTensor one({shape.dtype, {1, 1}});
        copy(one, 0, value(node.tile), over_lanes ? at * shape.lanes + i : i * shape.lanes + at);
        if (i < 16)
          partials.push_back(one);
        else
          partials[i % 16] = apply(node.function, partials[i % 16], one);
      }
      for (std::size_t step = 8; step >= 1; step /= 2) {
        for (std::size_t j = 0; j + step < partials.size() && j < step; ++j)
          partials[j] = apply(node.function, partials[j], partials[j + step]);
        if (partials.size() > step) partials.resize(step);
      }
      copy(result, at, partials[0], 0);
    }
  }
  void step(const Contract& node, const Statement& statement, HostTensor& result) {
    const TileType& shape = type(statement.results[0]);
    result = value(node.accumulator);
    const HostTensor lhs = converted(memory(node.lhs), shape.dtype);
    const HostTensor rhs = converted(memory(node.rhs), shape.dtype);
    const std::int64_t lhs_offset = index_at(node.lhs_offset, 0),
                       rhs_offset = index_at(node.rhs_offset, 0);
    with_element_type(shape.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (std::int64_t r = 0; r < node.active_rows; ++r)
        for (std::int64_t l = 0; l < node.active_lanes; ++l)
          for (std::int64_t k = 0; k < node.depth; ++k) {
            const std::int64_t left =
                lhs_offset + r * node.lhs_row_stride + k * node.lhs_depth_stride;
            const std::int64_t right =
                rhs_offset + k * node.rhs_depth_stride + l * node.rhs_lane_stride;
            ASSERT_TRUE(left >= 0 && left < lhs.size() && right >= 0 && right < rhs.size());
            T& sum = result.as<T>()[r * shape.lanes + l];
            if constexpr (std::is_floating_point_v<T>) {
              sum = std::fma(lhs.as<T>()[left], rhs.as<T>()[right], sum);
            } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
              sum = static_cast<T>(static_cast<std::uint64_t>(sum) +
                                   static_cast<std::uint64_t>(lhs.as<T>()[left]) *
                                       static_cast<std::uint64_t>(rhs.as<T>()[right]));
            }
          }
    });
  }
  void step(const Barrier&, const Statement&, HostTensor&) {}
  void step(const Loop& node, const Statement& statement, HostTensor&) {
    std::vector<HostTensor> carried;
    for (const ValueId initial : node.initial) carried.push_back(value(initial));
    for (std::int64_t i = 0; i < node.extent; ++i) {
      value(node.body.arguments[0]) = integer(i);
      for (std::size_t c = 0; c < carried.size(); ++c)
        value(node.body.arguments[c + 1]) = carried[c];
      block(node.body);
      for (std::size_t c = 0; c < carried.size(); ++c) carried[c] = value(node.body.yields[c]);
    }
    for (std::size_t c = 0; c < carried.size(); ++c) value(statement.results[c]) = carried[c];
  }
  void step(const If& node, const Statement&, HostTensor&) {
    if (index_at(node.condition, 0)) block(node.body);
  }

  const Kernel& kernel_;
  std::vector<HostTensor> values_;
  std::vector<HostTensor> shared_;
  std::vector<HostTensor*> memory_;
};

}  // namespace

void evaluate_kernel(const Kernel& kernel, std::span<HostTensor* const> arguments,
                     std::int64_t first, std::int64_t last) {
  KernelEvaluator evaluator(kernel, arguments);
  for (std::int64_t instance = first; instance < last; ++instance) evaluator.run(instance);
}

}  // namespace tenon::codegen
