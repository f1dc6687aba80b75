#include "tenon/ir/ops/random.h"

#include "tenon/base/threefry.h"
#include "tenon/ir/build.h"
#include "tenon/ir/ops/index.h"

namespace tenon::ir {
namespace {

using F = ScalarFunction;

struct ThreefryBuilder {
  Builder& b;
  TensorType type;  // u32 of the number of words

  Value number(std::uint32_t value) const { return splat(b, value, type); }
  Value exclusive_or(Value x, Value y) const { return elementwise(b, F::logical_xor, {x, y}); }
  Value rotate(Value x, std::uint32_t count) const {
    return elementwise(b, F::logical_or,
                       {elementwise(b, F::shift_left, {x, number(count)}),
                        elementwise(b, F::shift_right_logical, {x, number(32 - count)})});
  }
  Value key_word(Value key, std::int64_t position) const {
    const Value word = b.add(Slice{{position}, {position + 1}, {1}}, {key});
    return broadcast(b, reshape(b, word, {}), type.shape, {});
  }

  // threefry2x32 of base/threefry.h, its two words combined by XOR.
  Value words(Value key, Value high, Value low) const {
    constexpr std::array<std::array<std::uint32_t, 4>, 2> kRotations = {
        {{13, 15, 26, 6}, {17, 29, 16, 24}}};
    const Value key0 = key_word(key, 0);
    const Value key1 = key_word(key, 1);
    const std::array keys = {key0, key1,
                             exclusive_or(number(0x1bd11bdau), exclusive_or(key0, key1))};
    Value x0 = ir::add(b, high, keys[0]);
    Value x1 = ir::add(b, low, keys[1]);
    for (std::uint32_t group = 0; group < 5; ++group) {
      for (const std::uint32_t rotation : kRotations[group % 2]) {
        x0 = ir::add(b, x0, x1);
        x1 = exclusive_or(rotate(x1, rotation), x0);
      }
      x0 = ir::add(b, x0, keys[(group + 1) % 3]);
      x1 = ir::add(b, ir::add(b, x1, keys[(group + 2) % 3]), number(group + 1));
    }
    return exclusive_or(x0, x1);
  }
};

}  // namespace

TensorTypes infer_types(const RandomBits& op, OperandTypes types) {
  require_operands(op.kName, types, 1);
  require(types[0] == TensorType{DType::u32, {2}}, "{}: expected a key u32[2], got {}", op.kName,
          types[0]);
  return {checked_result(op.kName, {DType::u32, op.shape})};
}

Graph definition(const RandomBits& op, OperandTypes types) {
  const TensorType result = infer_types(op, types)[0];
  const std::int64_t count = element_count(result.shape);
  Builder b;
  const Value key = b.input({"key", types[0], Role::key, Sharding{}});
  const ThreefryBuilder threefry{b, {DType::u32, {count}}};
  Value high = threefry.number(0);
  Value low;
  if (count <= std::int64_t{1} << 32) {
    low = b.add(Iota{{DType::u32, {count}}, 0});
  } else {
    const TensorType wide{DType::u64, {count}};
    const Value position = b.add(Iota{wide, 0});
    low = cast(b, position, DType::u32);
    high =
        cast(b, elementwise(b, F::shift_right_logical, {position, splat(b, 32, wide)}), DType::u32);
  }
  return std::move(b).finish({reshape(b, threefry.words(key, high, low), result.shape)});
}

HostTensors evaluate(const RandomBits& op, OperandValues values) {
  HostTensor result({DType::u32, op.shape});
  const auto key = values[0]->as<std::uint32_t>();
  auto words = result.as<std::uint32_t>();
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = random_word(key[0], key[1], i);
  return one_result(std::move(result));
}

Gradients gradient(const RandomBits&, const GradientInputs& in) { return no_gradients(in); }

}  // namespace tenon::ir
