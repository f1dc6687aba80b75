// Makers of composites and random bits.
#include "graph_maker.h"

namespace tenon::fuzz {
using namespace ir;
namespace {

void make_softmax(GraphMaker& g) {
  const auto x = g.where(is_float);
  if (!x || g.type(*x).rank() == 0) return;
  const std::int64_t axis = g.below(g.type(*x).rank());
  if (g.chance(50))
    g.add(Softmax{axis}, {*x});
  else
    g.add(LogSoftmax{axis}, {*x});
}

bool has_features(const TensorType& type) { return type.rank() > 0 && type.shape.back() > 0; }

void make_norm(GraphMaker& g) {
  const auto x = g.where(is_float);
  if (!x || !has_features(g.type(*x))) return;
  const TensorType features{g.type(*x).dtype, {g.type(*x).shape.back()}};
  const Value scale = g.like(features);
  if (g.chance(50))
    g.add(LayerNorm{}, {*x, scale, g.like(features)});
  else
    g.add(RmsNorm{}, {*x, scale});
}

void make_cross_entropy(GraphMaker& g) {
  const auto x = g.where(is_float);
  if (!x || !has_features(g.type(*x))) return;
  Shape rows = g.type(*x).shape;
  rows.pop_back();
  g.add(SparseCrossEntropy{}, {*x, g.like({DType::i32, rows})});
}

void make_attention(GraphMaker& g) {
  const auto q = g.where(is_float);
  if (!q || g.type(*q).rank() < 2) return;
  TensorType keys = g.type(*q);
  const std::size_t last = keys.shape.size() - 1;
  keys.shape[last - 1] += g.below(3);
  const Value k = g.like(keys);
  keys.shape[last] = 1 + g.below(3);
  g.add(Attention{0.5, g.chance(50)}, {*q, k, g.like(keys)});
}

void make_update(GraphMaker& g) {
  const auto w = g.where(is_float);
  if (!w) return;
  const TensorType type = g.type(*w);
  const bool adam = g.chance(50);
  std::vector<Value> operands = {*w};
  for (int i = adam ? 3 : 2; i > 0; --i) operands.push_back(g.like(type));
  for (int i = adam ? 6 : 2; i > 0; --i) operands.push_back(g.like({type.dtype, {}}));
  if (adam)
    g.add(AdamUpdate{}, operands);
  else
    g.add(MomentumUpdate{g.chance(50)}, operands);
}

void make_random_bits(GraphMaker& g) { g.add(RandomBits{g.shape()}, {g.like({DType::u32, {2}})}); }

}  // namespace

std::vector<Maker> composite_makers() {
  return {make_softmax,   make_norm,   make_cross_entropy,
          make_attention, make_update, make_random_bits};
}

}  // namespace tenon::fuzz
