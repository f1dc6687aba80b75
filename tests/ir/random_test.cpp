#include "tenon/ir/ops/random.h"

#include "gradient_testing.h"
#include "tenon/base/threefry.h"

namespace tenon::ir {
namespace {

HostTensor key_of(std::uint32_t first, std::uint32_t second) {
  return make_tensor<std::uint32_t>({2}, {first, second});
}

// Threefry-2x32 known answers of Random123 (kat_vectors), the two words combined by XOR.
TEST(RandomBits, KnownAnswers) {
  EXPECT_EQ(run_op(RandomBits{{}}, {key_of(0, 0)}),
            make_scalar<std::uint32_t>(0x6b200159u ^ 0x99ba4efeu));
  EXPECT_EQ(random_word(0x13198a2eu, 0x03707344u, 0x243f6a8885a308d3u), 0xc4923a9cu ^ 0x483df7a0u);
}

TEST(RandomBits, DependOnKeyAndRowMajorPositionAlone) {
  const HostTensor flat = run_op(RandomBits{{12}}, {key_of(3, 4)});
  EXPECT_EQ(run_op(RandomBits{{3, 4}}, {key_of(3, 4)}), flat.reshaped({3, 4}));
  EXPECT_NE(run_op(RandomBits{{12}}, {key_of(4, 3)}), flat);
  EXPECT_EQ(run_op(RandomBits{{0, 4}}, {key_of(3, 4)}).size(), 0);
}

TEST(RandomBits, DefinitionGivesTheSameBits) {
  const HostTensor key = key_of(0xdeadbeefu, 0x12345678u);
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{17}, Shape{3, 1, 5}}) {
    const RandomBits op{shape};
    const Graph graph = definition(op, std::array{key.type()});
    EXPECT_EQ(interpret(graph, std::array{&key})[0], run_op(op, {key}));
  }
}

TEST(RandomBits, DefinitionBeyond32BitsCountsInTwoWords) {
  const RandomBits op{{std::int64_t{1} << 33}};
  const Graph graph = definition(op, std::array{TensorType{DType::u32, {2}}});
  EXPECT_EQ(graph.type(graph.outputs()[0].value), (TensorType{DType::u32, op.shape}));
  const bool wide = std::ranges::any_of(graph.nodes(), [](const Node& node) {
    const auto* iota = std::get_if<Iota>(&node.op);
    return iota != nullptr && iota->type.dtype == DType::u64;
  });
  EXPECT_TRUE(wide);
}

TEST(RandomBits, TypeRule) {
  const TensorType key{DType::u32, {2}};
  EXPECT_EQ(type_rule(RandomBits{{2, 3}}, {key}), "accepted: u32[2,3]");
  EXPECT_EQ(type_rule(RandomBits{{2, 3}}, {{DType::u32, {3}}}),
            "random_bits: expected a key u32[2], got u32[3]");
  EXPECT_EQ(type_rule(RandomBits{{2, 3}}, {{DType::i32, {2}}}),
            "random_bits: expected a key u32[2], got i32[2]");
  EXPECT_EQ(type_rule(RandomBits{{2, 3}}, {}), "random_bits: expected 1 operand, got none");
  EXPECT_EQ(type_rule(RandomBits{{-1}}, {key}),
            "random_bits: result u32[-1] has a negative extent");
  EXPECT_EQ(type_rule(RandomBits{{std::int64_t{1} << 62}}, {key}),
            "random_bits: result u32[4611686018427387904] is too large: its bytes do not fit in 63 "
            "bits");
}

TEST(RandomBits, HaveNoGradient) {
  EXPECT_TRUE(gradients_of(RandomBits{{2}}, {key_of(1, 2)}, {}).empty());
}

}  // namespace
}  // namespace tenon::ir
