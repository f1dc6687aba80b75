// Statistics and determinism of initial weights.
#include "tenon/nn/initializer.h"

#include <cmath>
#include <numeric>

#include "layer_testing.h"

namespace tenon::nn {
namespace {

struct Moments {
  double mean = 0, variance = 0, low = 0, high = 0;
};

Moments moments_of(const HostTensor& tensor) {
  const std::vector<double> v = doubles(tensor);
  Moments m;
  const auto n = static_cast<double>(v.size());
  m.mean = std::accumulate(v.begin(), v.end(), 0.0) / n;
  for (const double x : v) m.variance += (x - m.mean) * (x - m.mean) / n;
  m.low = std::ranges::min(v);
  m.high = std::ranges::max(v);
  return m;
}

TEST(Initializer, VariancesFollowTheFans) {
  const TensorType dense{DType::f32, {200, 100}}, image{DType::f64, {3, 5, 40, 30}};
  for (const auto& [type, in, out] :
       {std::tuple(dense, 200.0, 100.0), std::tuple(image, 600.0, 450.0)})
    for (const auto& [initializer, variance] :
         {std::pair(glorot_uniform, 2 / (in + out)), std::pair(glorot_normal, 2 / (in + out)),
          std::pair(he_uniform, 2 / in), std::pair(he_normal, 2 / in),
          std::pair(lecun_uniform, 1 / in), std::pair(lecun_normal, 1 / in)}) {
      const Moments m = moments_of(initializer(type, 7, "dense/kernel"));
      EXPECT_NEAR(m.variance, variance, 0.05 * variance) << name(initializer.kind);
      EXPECT_NEAR(m.mean, 0, 4 * std::sqrt(variance / 18000)) << name(initializer.kind);
      const bool is_uniform = name(initializer.kind).ends_with("uniform");
      const double limit = std::sqrt(3 * variance);
      if (is_uniform) {
        EXPECT_LE(m.high, limit);
        EXPECT_GE(m.low, -limit);
        EXPECT_GT(m.high, 0.99 * limit);
      } else {
        EXPECT_GT(m.high, 1.5 * limit);
      }
    }
}

// Keras' VarianceScaling in all of its modes, by the formulas of its documentation.
TEST(Initializer, VarianceScalingFollowsItsMode) {
  const TensorType type{DType::f64, {3, 5, 40, 30}};
  const double scale = 1.7;
  for (const auto& [mode, fan] :
       {std::pair("fan_in", 600.0), std::pair("fan_out", 450.0), std::pair("fan_average", 525.0)})
    for (const char* shape : {"uniform", "normal", "truncated_normal"}) {
      const std::string text = fmt::format("{}_{}", mode, shape);
      const Moments m = moments_of(Initializer{parse_initializer_kind(text), scale}(type, 3, "k"));
      const double variance = scale / fan;
      EXPECT_NEAR(m.variance, variance, 0.05 * variance) << text;
      EXPECT_NEAR(m.mean, 0, 4 * std::sqrt(variance / 18000)) << text;
      const double limit = shape == std::string("uniform") ? std::sqrt(3 * variance)
                           : shape == std::string("normal")
                               ? 6 * std::sqrt(variance)
                               : 2 * std::sqrt(variance) / 0.87962566103423978;
      EXPECT_LE(std::max(m.high, -m.low), limit) << text;
      EXPECT_GT(m.high, 0.5 * limit) << text;
    }
  // Those with names of their own are the same numbers.
  const auto of = [&](InitializerKind kind, double s) {
    return Initializer{kind, s}(type, 5, "k");
  };
  EXPECT_EQ(of(InitializerKind::fan_in_normal, 2), he_normal(type, 5, "k"));
  EXPECT_EQ(of(InitializerKind::fan_in_normal, 1), lecun_normal(type, 5, "k"));
  EXPECT_EQ(of(InitializerKind::fan_average_normal, 1), glorot_normal(type, 5, "k"));
}

TEST(Initializer, FixedKinds) {
  const TensorType type{DType::f32, {3}};
  EXPECT_EQ(doubles(zeros(type, 1, "b")), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(doubles(ones(type, 1, "b")), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(doubles(Initializer{InitializerKind::constant, -2.5}(type, 1, "b")),
            (std::vector<double>{-2.5, -2.5, -2.5}));
  const TensorType many{DType::f64, {20000}};
  const Moments uniform = moments_of(Initializer{InitializerKind::uniform, 0.5}(many, 1, "u"));
  EXPECT_NEAR(uniform.variance, 0.25 / 3, 0.003);
  EXPECT_LT(uniform.high, 0.5);
  const Moments normal = moments_of(Initializer{InitializerKind::normal, 0.02}(many, 1, "n"));
  EXPECT_NEAR(normal.variance, 0.0004, 0.00002);
}

TEST(Initializer, TruncatedNormalStaysWithinTwoDeviations) {
  const TensorType type{DType::f64, {40000}};
  const Moments m = moments_of(Initializer{InitializerKind::truncated_normal, 0.5}(type, 1, "t"));
  EXPECT_LE(m.high, 1);
  EXPECT_GE(m.low, -1);
  EXPECT_GT(m.high, 0.99);
  EXPECT_NEAR(m.mean, 0, 0.01);
  // 1 - 4 phi(2) / (2 Phi(2) - 1), of a standard normal cut at 2.
  EXPECT_NEAR(m.variance, 0.25 * 0.7737413, 0.004);
}

// The products of all pairs of rows (or columns) of a matrix.
std::vector<double> gram(const std::vector<double>& m, std::size_t rows, std::size_t columns,
                         bool of_rows) {
  const std::size_t count = of_rows ? rows : columns, length = of_rows ? columns : rows;
  const auto at = [&](std::size_t i, std::size_t k) {
    return of_rows ? m[i * columns + k] : m[k * columns + i];
  };
  std::vector<double> products;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < length; ++k) sum += at(i, k) * at(j, k);
      products.push_back(sum);
    }
  return products;
}

TEST(Initializer, OrthogonalMatricesAreOrthogonal) {
  for (const Shape& shape : {Shape{30, 20}, Shape{20, 30}, Shape{17, 17}, Shape{3, 3, 4, 12}}) {
    const auto columns = static_cast<std::size_t>(shape.back());
    const auto rows = static_cast<std::size_t>(element_count(shape)) / columns;
    const HostTensor tensor =
        Initializer{InitializerKind::orthogonal, 2}({DType::f64, shape}, 1, "o");
    const std::vector<double> products = gram(doubles(tensor), rows, columns, rows < columns);
    const std::size_t count = std::min(rows, columns);
    for (std::size_t i = 0; i < products.size(); ++i)
      EXPECT_NEAR(products[i], i % (count + 1) == 0 ? 4 : 0, 1e-13) << i;
  }
  EXPECT_EQ(orthogonal({DType::f32, {3, 0}}, 1, "o").size(), 0);
  EXPECT_EQ(error_of([] {
              orthogonal({DType::f32, {4}}, 1, "bias");
            }),
            "initializer orthogonal: expected a weight of two or more axes, got f32[4]");
}

TEST(Initializer, IdentityLeavesRowsAndImagesAsTheyAre) {
  EXPECT_EQ(doubles(Initializer{InitializerKind::identity, 3}({DType::f32, {2, 3}}, 1, "i")),
            (std::vector<double>{3, 0, 0, 0, 3, 0}));
  const Layer layer = Conv2D{.filters = 2, .same_padding = true, .kernel_initializer = identity};
  const HostTensor image =
      make_tensor<float>({1, 2, 3, 2}, {1, -2, 3, 4, 5, 6, 7, 8, -9, 10, 11, 12});
  Context context(Mode::inference);
  EXPECT_EQ(Session("reference").run(layer(Tensor(image), context)), image);
}

TEST(Initializer, UnitForgetBiasIsOneForTheForgetGate) {
  EXPECT_EQ(doubles(unit_forget_bias({DType::f32, {8}}, 1, "b")),
            (std::vector<double>{0, 0, 1, 1, 0, 0, 0, 0}));
}

TEST(Initializer, DependsOnSeedAndPathAlone) {
  const TensorType type{DType::f32, {4, 5}};
  const HostTensor value = he_normal(type, 3, "dense/kernel");
  EXPECT_EQ(value, he_normal(type, 3, "dense/kernel"));
  EXPECT_FALSE(value == he_normal(type, 4, "dense/kernel"));
  EXPECT_FALSE(value == he_normal(type, 3, "dense_1/kernel"));
  // The same numbers, rounded, in another element type.
  EXPECT_EQ(converted(he_normal({DType::f64, {4, 5}}, 3, "dense/kernel"), DType::f32), value);
}

TEST(Initializer, NamesAreParsed) {
  for (const char* text : {"zeros",
                           "ones",
                           "constant",
                           "uniform",
                           "normal",
                           "glorot_uniform",
                           "glorot_normal",
                           "he_uniform",
                           "he_normal",
                           "lecun_uniform",
                           "lecun_normal",
                           "truncated_normal",
                           "orthogonal",
                           "identity",
                           "unit_forget_bias",
                           "fan_in_uniform",
                           "fan_in_normal",
                           "fan_in_truncated_normal",
                           "fan_out_uniform",
                           "fan_out_normal",
                           "fan_out_truncated_normal",
                           "fan_average_uniform",
                           "fan_average_normal",
                           "fan_average_truncated_normal"})
    EXPECT_EQ(name(parse_initializer_kind(text)), text);
  EXPECT_EQ(error_of([] {
              Initializer{InitializerKind::normal, -1}({DType::f32, {1}}, 1, "w");
            }),
            "initializer normal: scale must be finite and not negative, got -1");
}

TEST(Session, TakesInitialValuesFromItsSeed) {
  const Layer layer = Dense{3};
  weight_names(layer, {DType::f32, {1, 4}});
  const Variable kernel = variables_of(layer)[0];
  Session a("reference", {.seed = 5}), b("reference", {.seed = 5}), c("reference", {.seed = 6});
  EXPECT_EQ(a.read(kernel), b.read(kernel));
  EXPECT_FALSE(a.read(kernel) == c.read(kernel));
}

}  // namespace
}  // namespace tenon::nn
