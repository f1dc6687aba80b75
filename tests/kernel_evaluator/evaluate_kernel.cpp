#include "tests/kernel_evaluator/evaluate_kernel.h"

#include <cmath>
#include <stdexcept>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/scalar_evaluate.h"
#include "tenon/base/threefry.h"

namespace tenon::kernel {

namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

[[noreturn]] void fail(const Kernel& kernel, const std::string& what) {
  throw std::runtime_error(fmt::format("kernel {}: {}", kernel.name, what));
}

HostTensor tile_of(const TileType& type) {
  return HostTensor({type.dtype, {type.rows, type.lanes}});
}

// A scalar, row or column repeated to the shape of a tile.
HostTensor repeated(const HostTensor& value, const TileType& type) {
  if (value.shape() == Shape{type.rows, type.lanes}) return value;
  HostTensor result({value.dtype(), {type.rows, type.lanes}});
  const std::size_t size = size_of(value.dtype());
  const std::int64_t rows = value.shape()[0], lanes = value.shape()[1];
  for (std::int64_t i = 0; i < result.size(); ++i) {
    const std::int64_t row = rows == 1 ? 0 : i / type.lanes, lane = lanes == 1 ? 0 : i % type.lanes;
    std::memcpy(result.bytes().data() + at(i) * size,
                value.bytes().data() + at(row * lanes + lane) * size, size);
  }
  return result;
}

std::int64_t integer(const HostTensor& value, std::int64_t element) {
  if (value.dtype() == DType::i32) return value.as<std::int32_t>()[at(element)];
  return value.as<std::int64_t>()[at(element)];
}

class Machine {
 public:
  Machine(const Kernel& kernel, std::span<const std::span<std::byte>> arguments,
          Instances instances)
      : kernel_(kernel), instances_(instances), values_(kernel.values.size()) {
    std::size_t next = 0;
    for (const Buffer& buffer : kernel.buffers) {
      const std::size_t bytes = at(buffer.elements) * size_of(buffer.dtype);
      if (buffer.space == Space::argument) {
        if (arguments[next].size() != bytes)
          fail(kernel,
               fmt::format("{} has {} bytes, not {}", buffer.name, arguments[next].size(), bytes));
        memory_.push_back(arguments[next++]);
      } else {
        shared_.emplace_back(bytes, std::byte{0xcd});
        memory_.emplace_back();
      }
      writer_.emplace_back(buffer.space == Space::argument ? at(buffer.elements) : 0, -1);
    }
    std::size_t shared = 0;
    for (std::size_t i = 0; i < kernel.buffers.size(); ++i)
      if (kernel.buffers[i].space == Space::shared) memory_[i] = shared_[shared++];
  }

  void run() {
    for (instance_ = 0; instance_ < kernel_.grid; ++instance_) {
      for (auto& shared : shared_) std::ranges::fill(shared, std::byte{0xcd});
      set(kernel_.body.arguments[0], make_tensor<std::int64_t>({1, 1}, {instance_}));
      run(kernel_.body);
    }
  }

 private:
  const HostTensor& get(ValueId id) const { return values_[id.index]; }
  void set(ValueId id, HostTensor value) { values_[id.index] = std::move(value); }
  std::int64_t scalar(ValueId id) const { return integer(get(id), 0); }

  std::byte* element(BufferId id, std::int64_t index, bool writes) {
    const Buffer& buffer = kernel_.buffers[id.index];
    if (index < 0 || index >= buffer.elements)
      fail(kernel_, fmt::format("instance {} touches element {} of {}, which has {}", instance_,
                                index, buffer.name, buffer.elements));
    if (buffer.space == Space::argument && instances_ == Instances::independent) {
      std::int64_t& writer = writer_[id.index][at(index)];
      if (writer != -1 && writer != instance_)
        fail(kernel_, fmt::format("instances {} and {} share element {} of {}", writer, instance_,
                                  index, buffer.name));
      if (writes) writer = instance_;
    }
    return memory_[id.index].data() + at(index) * size_of(buffer.dtype);
  }
  template <Element T>
  T read(BufferId id, std::int64_t index) {
    T value;
    std::memcpy(static_cast<void*>(&value), element(id, index, false), sizeof value);
    return value;
  }

  void run(const Block& block) {
    for (const Statement& statement : block.statements)
      std::visit([&](const auto& node) { execute(node, statement.results); },
                 statement.instruction);
  }

  using Results = std::vector<ValueId>;
  const TileType& type(const Results& results) const { return kernel_.type(results[0]); }

  void execute(const Literal& node, const Results& results) {
    HostTensor value({node.dtype, {1, 1}});
    std::memcpy(value.bytes().data(), &node.bits, value.bytes().size());
    set(results[0], std::move(value));
  }
  void number(const Results& results, bool is_lane) {
    HostTensor value = tile_of(type(results));
    for (std::int64_t r = 0; r < type(results).rows; ++r)
      for (std::int64_t l = 0; l < type(results).lanes; ++l) {
        const std::size_t i = at(r * type(results).lanes + l);
        if (value.dtype() == DType::i32)
          value.as<std::int32_t>()[i] = static_cast<std::int32_t>(is_lane ? l : r);
        else
          value.as<std::int64_t>()[i] = is_lane ? l : r;
      }
    set(results[0], std::move(value));
  }
  void execute(const LaneIndex&, const Results& results) { number(results, true); }
  void execute(const RowIndex&, const Results& results) { number(results, false); }
  void execute(const Call& node, const Results& results) {
    std::vector<HostTensor> operands;
    for (const ValueId operand : node.operands)
      operands.push_back(repeated(get(operand), type(results)));
    std::vector<const HostTensor*> pointers;
    for (const HostTensor& operand : operands) pointers.push_back(&operand);
    set(results[0], evaluate_scalar_function(node.function, pointers));
  }
  void execute(const FusedMultiplyAdd& node, const Results& results) {
    const HostTensor a = repeated(get(node.a), type(results));
    const HostTensor b = repeated(get(node.b), type(results));
    HostTensor c = repeated(get(node.c), type(results));
    if (c.dtype() == DType::f32)
      for (std::size_t i = 0; i < at(c.size()); ++i)
        c.as<float>()[i] = std::fma(a.as<float>()[i], b.as<float>()[i], c.as<float>()[i]);
    else
      for (std::size_t i = 0; i < at(c.size()); ++i)
        c.as<double>()[i] = std::fma(a.as<double>()[i], b.as<double>()[i], c.as<double>()[i]);
    set(results[0], std::move(c));
  }
  void execute(const Select& node, const Results& results) {
    const HostTensor predicate = repeated(get(node.predicate), type(results));
    const HostTensor on_true = repeated(get(node.on_true), type(results));
    HostTensor value = repeated(get(node.on_false), type(results));
    const std::size_t size = size_of(value.dtype());
    for (std::size_t i = 0; i < at(value.size()); ++i)
      if (predicate.as<bool>()[i])
        std::memcpy(value.bytes().data() + i * size, on_true.bytes().data() + i * size, size);
    set(results[0], std::move(value));
  }
  void execute(const Cast& node, const Results& results) {
    set(results[0], converted(get(node.operand), node.dtype));
  }
  void execute(const Bitcast&, const Results& results);
  void execute(const RandomWord& node, const Results& results) {
    HostTensor value = tile_of(type(results));
    const std::uint32_t key0 = get(node.key0).as<std::uint32_t>()[0];
    const std::uint32_t key1 = get(node.key1).as<std::uint32_t>()[0];
    for (std::size_t i = 0; i < at(value.size()); ++i)
      value.as<std::uint32_t>()[i] = random_word(
          key0, key1,
          static_cast<std::uint64_t>(integer(get(node.index), static_cast<std::int64_t>(i))));
    set(results[0], std::move(value));
  }
  void execute(const Splat& node, const Results& results) {
    set(results[0], repeated(get(node.operand), type(results)));
  }

  void execute(const Load& node, const Results& results) {
    HostTensor value = tile_of(type(results));
    const std::size_t size = size_of(value.dtype());
    for (std::int64_t r = 0; r < node.rows; ++r)
      for (std::int64_t l = 0; l < node.lanes; ++l) {
        std::byte* to = value.bytes().data() + at(r * node.lanes + l) * size;
        const Access& access = node.access;
        if (r < access.active_rows && l < access.active_lanes)
          std::memcpy(to, element(access.buffer, place(access, r, l), false), size);
        else
          std::memcpy(to, &node.fill.bits, size);
      }
    set(results[0], std::move(value));
  }
  std::int64_t place(const Access& access, std::int64_t r, std::int64_t l) const {
    return scalar(access.offset) + r * access.row_stride + l * access.lane_stride;
  }
  void execute(const Store& node, const Results&) {
    const Access& access = node.access;
    const HostTensor& value = get(node.value);
    const std::size_t size = size_of(value.dtype());
    for (std::int64_t r = 0; r < access.active_rows; ++r)
      for (std::int64_t l = 0; l < access.active_lanes; ++l) {
        const std::int64_t from = value.size() == 1 ? 0 : r * value.shape()[1] + l;
        std::memcpy(element(access.buffer, place(access, r, l), true),
                    value.bytes().data() + at(from) * size, size);
      }
  }
  bool is_active(const std::optional<ValueId>& mask, std::int64_t i) const {
    if (!mask) return true;
    const HostTensor& bits = get(*mask);
    return bits.as<bool>()[bits.size() == 1 ? 0 : at(i)];
  }
  void execute(const LoadIndexed& node, const Results& results) {
    HostTensor value = tile_of(type(results));
    const std::size_t size = size_of(value.dtype());
    for (std::int64_t i = 0; i < value.size(); ++i) {
      std::byte* to = value.bytes().data() + at(i) * size;
      if (is_active(node.mask, i))
        std::memcpy(to, element(node.buffer, integer(get(node.index), i), false), size);
      else
        std::memcpy(to, &node.fill.bits, size);
    }
    set(results[0], std::move(value));
  }
  void execute(const StoreIndexed& node, const Results&) {
    const HostTensor& index = get(node.index);
    const HostTensor& value = get(node.value);
    const std::size_t size = size_of(value.dtype());
    for (std::int64_t i = 0; i < index.size(); ++i)
      if (is_active(node.mask, i))
        std::memcpy(element(node.buffer, integer(index, i), true),
                    value.bytes().data() + (value.size() == 1 ? 0 : at(i)) * size, size);
  }

  HostTensor slice_along(const HostTensor& tile, FoldAxis axis, std::int64_t i) const {
    const std::int64_t rows = tile.shape()[0], lanes = tile.shape()[1];
    HostTensor part({tile.dtype(), axis == FoldAxis::lanes ? Shape{rows, 1} : Shape{1, lanes}});
    const std::size_t size = size_of(tile.dtype());
    for (std::int64_t k = 0; k < part.size(); ++k) {
      const std::int64_t from = axis == FoldAxis::lanes ? k * lanes + i : i * lanes + k;
      std::memcpy(part.bytes().data() + at(k) * size, tile.bytes().data() + at(from) * size, size);
    }
    return part;
  }
  void execute(const Fold& node, const Results& results) {
    std::vector<HostTensor> partials;
    for (std::int64_t i = 0; i < node.active; ++i) {
      HostTensor part = slice_along(get(node.tile), node.axis, i);
      if (i < 16)
        partials.push_back(std::move(part));
      else
        partials[at(i % 16)] = combine(node.function, partials[at(i % 16)], part);
    }
    for (std::size_t step = 8; step > 0; step /= 2)
      for (std::size_t j = 0; j < step && j + step < partials.size(); ++j)
        partials[j] = combine(node.function, partials[j], partials[j + step]);
    set(results[0], std::move(partials[0]));
  }
  static HostTensor combine(ScalarFunction f, const HostTensor& a, const HostTensor& b) {
    const std::array pointers{&a, &b};
    return evaluate_scalar_function(f, pointers);
  }

  void execute(const Contract& node, const Results& results) {
    HostTensor total = get(node.accumulator);
    with_element_type(total.dtype(), [&]<class T>(TypeTag<T>) {
      for (std::int64_t r = 0; r < node.active_rows; ++r)
        for (std::int64_t l = 0; l < node.active_lanes; ++l) {
          T& sum = total.as<T>()[at(r * total.shape()[1] + l)];
          for (std::int64_t k = 0; k < node.depth; ++k) {
            const T a = operand<T>(node.lhs, scalar(node.lhs_offset) + r * node.lhs_row_stride +
                                                 k * node.lhs_depth_stride);
            const T b = operand<T>(node.rhs, scalar(node.rhs_offset) + k * node.rhs_depth_stride +
                                                 l * node.rhs_lane_stride);
            if constexpr (std::is_floating_point_v<T>)
              sum = std::fma(a, b, sum);
            else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
              sum = static_cast<T>(static_cast<std::uint64_t>(sum) +
                                   static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
          }
        }
    });
    set(results[0], std::move(total));
  }
  template <Element T>
  T operand(BufferId id, std::int64_t index) {
    return with_element_type(kernel_.buffers[id.index].dtype, [&]<class From>(TypeTag<From>) {
      return convert_element<T>(read<From>(id, index));
    });
  }

  void execute(const Prefetch&, const Results&) {}
  void execute(const Barrier&, const Results&) {}
  void execute(const Loop& node, const Results& results) {
    std::vector<HostTensor> carried;
    for (const ValueId value : node.initial) carried.push_back(get(value));
    for (std::int64_t i = 0; i < node.extent; ++i) {
      set(node.body.arguments[0], make_tensor<std::int64_t>({1, 1}, {i}));
      for (std::size_t k = 0; k < carried.size(); ++k)
        set(node.body.arguments[k + 1], std::move(carried[k]));
      run(node.body);
      for (std::size_t k = 0; k < carried.size(); ++k) carried[k] = get(node.body.yields[k]);
    }
    for (std::size_t k = 0; k < carried.size(); ++k) set(results[k], std::move(carried[k]));
  }
  void execute(const If& node, const Results&) {
    if (get(node.condition).as<bool>()[0]) run(node.body);
  }

  const Kernel& kernel_;
  Instances instances_;
  std::vector<HostTensor> values_;
  std::vector<std::span<std::byte>> memory_;
  std::vector<std::vector<std::byte>> shared_;
  std::vector<std::vector<std::int64_t>> writer_;  // instance that wrote an element
  std::int64_t instance_ = 0;
};

void Machine::execute(const Bitcast& node, const Results& results) {
  HostTensor value = tile_of(type(results));
  std::ranges::copy(get(node.operand).bytes(), value.bytes().begin());
  set(results[0], std::move(value));
}

}  // namespace

void evaluate_kernel(const Kernel& kernel, std::span<const std::span<std::byte>> arguments,
                     Instances instances) {
  Machine(kernel, arguments, instances).run();
}

}  // namespace tenon::kernel
