// Cases of composites: softmax, cross entropy, norms, attention and optimizer updates.
#include "case.h"

namespace tenon::conformance {
using namespace ir;
namespace {

constexpr std::array kFloats = {DType::f16, DType::bf16, DType::f32, DType::f64};

template <class Make>
std::vector<Case> softmax_cases(std::string_view name, const Make& make) {
  struct Row {
    Shape shape;
    std::int64_t axis;
  };
  const Row rows[] = {{{5}, 0},          {{3, 17}, 1},         {{3, 4}, 0},
                      {{2, 3, 1, 4}, 1}, {{2, 1, 3, 2, 2}, 4}, {{0, 3}, 1},
                      {{1}, 0},          {{2, 33}, 1}};
  std::vector<Case> all;
  for (const DType dtype : kFloats)
    for (const Row& row : rows) {
      const TensorType type{dtype, row.shape};
      const bool small = element_count(row.shape) <= 12;
      all.push_back(single_op_case(fmt::format("{}/{}/axis {}", name, type, row.axis),
                                   make(row.axis), {random_tensor(type, 1)},
                                   small && dtype == DType::f64));
    }
  // Far from zero, where the exponentials alone would overflow.
  all.push_back(single_op_case(fmt::format("{}/large", name), make(1),
                               {random_tensor({DType::f32, {3, 5}}, 2, 900, 1000)}));
  return all;
}

TensorType last_axis(const TensorType& x) { return {x.dtype, {x.shape.back()}}; }
TensorType rows_of(const TensorType& x) {
  TensorType rows{accumulation_type(x.dtype), x.shape};
  rows.shape.pop_back();
  return rows;
}

const Shape kNormShapes[] = {{4}, {3, 17}, {2, 3, 5}, {0, 3}, {2, 1, 2, 1, 3}, {2, 33}};

std::string norm_name(std::string_view name, const TensorType& type) {
  return fmt::format("{}/{}", name, type);
}
bool differentiable(const TensorType& type) {
  return type.dtype == DType::f64 && element_count(type.shape) <= 51;
}

}  // namespace

TENON_OP_CASES(Softmax) {
  return softmax_cases("softmax", [](std::int64_t axis) { return Softmax{axis}; });
}

TENON_OP_CASES(LogSoftmax) {
  return softmax_cases("log_softmax", [](std::int64_t axis) { return LogSoftmax{axis}; });
}

TENON_OP_CASES(SparseCrossEntropy) {
  std::vector<Case> all;
  for (const DType dtype : kFloats)
    for (const DType labels : {DType::u8, DType::i32, DType::i64})
      for (const Shape& shape :
           {Shape{5}, Shape{3, 17}, Shape{2, 3, 4}, Shape{0, 3}, Shape{2, 1}}) {
        const TensorType type{dtype, shape};
        Shape rows = shape;
        rows.pop_back();
        const double classes = static_cast<double>(shape.back());
        all.push_back(single_op_case(
            fmt::format("sparse_cross_entropy/{}/{}", type, name(labels)), SparseCrossEntropy{},
            {random_tensor(type, 1), random_tensor({labels, rows}, 2, 0, classes - 1)},
            dtype == DType::f64 && labels == DType::i32));
      }
  // Labels out of range clamp.
  all.push_back(single_op_case(
      "sparse_cross_entropy/clamped", SparseCrossEntropy{},
      {random_tensor({DType::f64, {3, 4}}, 1), make_tensor<std::int32_t>({3}, {-7, 4, 99})}, true));
  return all;
}

TENON_OP_CASES(LayerNorm) {
  std::vector<Case> all;
  for (const DType dtype : kFloats)
    for (const Shape& shape : kNormShapes) {
      const TensorType type{dtype, shape};
      all.push_back(single_op_case(norm_name("layer_norm", type), LayerNorm{1e-3},
                                   {random_tensor(type, 1), random_tensor(last_axis(type), 2),
                                    random_tensor(last_axis(type), 3)},
                                   differentiable(type)));
    }
  return all;
}

TENON_OP_CASES(LayerNormGradient) {
  std::vector<Case> all;
  for (const DType dtype : kFloats)
    for (const Shape& shape : kNormShapes) {
      const TensorType type{dtype, shape};
      all.push_back(
          single_op_case(norm_name("layer_norm_gradient", type), LayerNormGradient{},
                         {random_tensor(type, 1), random_tensor(last_axis(type), 2),
                          random_tensor(rows_of(type), 3, -0.5, 0.5),
                          random_tensor(rows_of(type), 4, 0.5, 2), random_tensor(type, 5)},
                         differentiable(type)));
    }
  return all;
}

TENON_OP_CASES(RmsNorm) {
  std::vector<Case> all;
  for (const DType dtype : kFloats)
    for (const Shape& shape : kNormShapes) {
      const TensorType type{dtype, shape};
      all.push_back(single_op_case(norm_name("rms_norm", type), RmsNorm{1e-3},
                                   {random_tensor(type, 1), random_tensor(last_axis(type), 2)},
                                   differentiable(type)));
    }
  return all;
}

TENON_OP_CASES(Attention) {
  struct Row {
    Shape q, k, v;
    bool causal;
  };
  const Row rows[] = {
      {{3, 4}, {3, 4}, {3, 4}, false},         {{3, 4}, {3, 4}, {3, 4}, true},
      {{2, 3, 2}, {2, 5, 2}, {2, 5, 3}, true}, {{2, 1, 3, 2}, {2, 1, 4, 2}, {2, 1, 4, 1}, false},
      {{17, 5}, {33, 5}, {33, 3}, true},       {{0, 4}, {3, 4}, {3, 2}, true}};
  std::vector<Case> all;
  for (const DType dtype : kFloats)
    for (const Row& row : rows) {
      const bool small = element_count(row.q) + element_count(row.v) <= 60;
      all.push_back(
          single_op_case(fmt::format("attention/{}/{}{}", TensorType{dtype, row.q},
                                     TensorType{dtype, row.v}, row.causal ? "/causal" : ""),
                         Attention{0.5, row.causal},
                         {random_tensor({dtype, row.q}, 1), random_tensor({dtype, row.k}, 2),
                          random_tensor({dtype, row.v}, 3)},
                         small && dtype == DType::f64));
    }
  return all;
}

TENON_OP_CASES(AdamUpdate) {
  std::vector<Case> all;
  for (const DType dtype : kFloats)
    for (const Shape& shape : {Shape{}, Shape{3, 17}, Shape{0, 2}})
      for (const double step : {1.0, 10.0}) {
        const TensorType type{dtype, shape}, scalar{dtype, {}};
        all.push_back(
            single_op_case(fmt::format("adam_update/{}/step {}", type, step), AdamUpdate{},
                           {random_tensor(type, 1), random_tensor(type, 2), random_tensor(type, 3),
                            random_tensor(type, 4, 0.5, 2), filled(scalar, 0.01),
                            filled(scalar, 0.875), filled(scalar, 0.9375), filled(scalar, 1e-3),
                            filled(scalar, 0.25), filled(scalar, step)},
                           dtype == DType::f64 && element_count(shape) <= 1));
      }
  return all;
}

TENON_OP_CASES(MomentumUpdate) {
  std::vector<Case> all;
  for (const bool nesterov : {false, true})
    for (const DType dtype : kFloats)
      for (const Shape& shape : {Shape{}, Shape{3, 17}, Shape{0, 2}}) {
        const TensorType type{dtype, shape}, scalar{dtype, {}};
        all.push_back(
            single_op_case(fmt::format("momentum_update/{}{}", type, nesterov ? "/nesterov" : ""),
                           MomentumUpdate{nesterov},
                           {random_tensor(type, 1), random_tensor(type, 2), random_tensor(type, 3),
                            filled(scalar, 0.01), filled(scalar, 0.9)},
                           dtype == DType::f64));
      }
  return all;
}

}  // namespace tenon::conformance
