// Distributions, keys and independence of random numbers, with fixed keys.
#include "tenon/tensor/random.h"

#include <cmath>
#include <numeric>
#include <set>

#include "tensor_testing.h"

namespace tenon {
namespace {

constexpr std::int64_t kCount = 20000;

struct Moments {
  double mean = 0, variance = 0, low = 0, high = 0;
};

Moments moments_of(const Tensor& tensor) {
  const std::vector<double> values = doubles(tensor);
  Moments m;
  const auto n = static_cast<double>(values.size());
  m.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  for (const double v : values) m.variance += (v - m.mean) * (v - m.mean) / n;
  m.low = *std::ranges::min_element(values);
  m.high = *std::ranges::max_element(values);
  return m;
}

double correlation(const Tensor& x, const Tensor& y) {
  const std::vector<double> a = doubles(x), b = doubles(y);
  const Moments p = moments_of(x), q = moments_of(y);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - p.mean) * (b[i] - q.mean);
  return sum / static_cast<double>(a.size()) / std::sqrt(p.variance * q.variance);
}

// Four standard errors of a mean of kCount numbers with this variance.
double bound(double variance) { return 4 * std::sqrt(variance / kCount); }

TEST(Random, UniformHasTheRightMomentsAndBounds) {
  for (const DType dtype : {DType::f16, DType::bf16, DType::f32, DType::f64}) {
    const Moments m = moments_of(random::uniform(random::key(1), {kCount}, -1, 3, dtype));
    EXPECT_NEAR(m.mean, 1, bound(16.0 / 12) + 0.02);
    EXPECT_NEAR(m.variance, 16.0 / 12, 0.05);
    EXPECT_GE(m.low, -1);
    EXPECT_LT(m.high, 3);
    EXPECT_LT(m.low, -0.99);
    EXPECT_GT(m.high, 2.98);
  }
}

// The largest distance of the empirical distribution function from x -> F(x); below 1.95 / sqrt(n)
// for 99.9 % of all samples (Kolmogorov, Smirnov), plus what rounding to the type moves.
double distance_from(std::vector<double> sample, double (*distribution)(double)) {
  std::ranges::sort(sample);
  const auto n = static_cast<double>(sample.size());
  double largest = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    if (i + 1 < sample.size() && sample[i + 1] == sample[i]) continue;
    largest = std::max(largest, std::abs(static_cast<double>(i + 1) / n - distribution(sample[i])));
  }
  return largest;
}

TEST(Random, FloatsFollowTheirDistributions) {
  const double allowed = 1.95 / std::sqrt(400000.0);
  for (const auto& [dtype, rounding] : std::map<DType, double>{
           {DType::f16, 0x1p-11}, {DType::bf16, 0x1p-8}, {DType::f32, 0}, {DType::f64, 0}}) {
    EXPECT_LT(distance_from(doubles(random::uniform(random::key(71), {400000}, 0, 1, dtype)),
                            [](double x) { return x; }),
              allowed + rounding)
        << name(dtype);
    EXPECT_LT(distance_from(doubles(random::exponential(random::key(72), {400000}, 1, dtype)),
                            [](double x) { return 1 - std::exp(-x); }),
              allowed + 2 * rounding)
        << name(dtype);
    EXPECT_LT(distance_from(doubles(random::normal(random::key(73), {400000}, 0, 1, dtype)),
                            [](double x) { return std::erfc(-x / std::sqrt(2)) / 2; }),
              allowed + 2 * rounding)
        << name(dtype);
  }
}

TEST(Random, UniformNeverReachesItsUpperBound) {
  struct Range {
    double low, high;
  };
  for (const DType dtype : {DType::f16, DType::bf16, DType::f32, DType::f64})
    for (const auto& [low, high] : {Range{0, 1}, Range{1000, 1001}, Range{-0.1, 0.1},
                                    Range{0.1, 0.3}, Range{-3, -1}, Range{-1, 0}}) {
      if (dtype == DType::bf16 && low == 1000) continue;  // one number, 1000
      const Moments m = moments_of(random::uniform(random::key(70), {400000}, low, high, dtype));
      EXPECT_GE(m.low, low) << name(dtype);
      EXPECT_LT(m.high, high) << name(dtype);
      EXPECT_NEAR(m.low, low, (high - low) / 2 + 0.01) << name(dtype);
      EXPECT_GT(m.high, low) << name(dtype);
    }
  const Moments one = moments_of(random::uniform(random::key(70), {99}, 1000, 1001, DType::bf16));
  EXPECT_EQ(one.low, 1000);
  EXPECT_EQ(one.high, 1000);
  EXPECT_EQ(moments_of(random::uniform(random::key(70), {9}, 2, 2)).high, 2);
  for (const DType dtype : {DType::f16, DType::bf16})
    EXPECT_LT(moments_of(random::exponential(random::key(7), {400000}, 1, dtype)).high, 17);
}

TEST(Random, NormalHasTheRightMoments) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Moments m = moments_of(random::normal(random::key(2), {kCount}, 5, 2, dtype));
    EXPECT_NEAR(m.mean, 5, bound(4));
    EXPECT_NEAR(m.variance, 4, 0.2);
    EXPECT_LT(m.low, 5 - 2 * 3.0);
    EXPECT_GT(m.high, 5 + 2 * 3.0);
  }
  // 68 % within one deviation.
  const std::vector<double> values = doubles(random::normal(random::key(3), {kCount}));
  const auto within = std::ranges::count_if(values, [](double v) { return std::abs(v) < 1; });
  EXPECT_NEAR(static_cast<double>(within) / kCount, 0.6827, 0.015);
}

TEST(Random, TruncatedNormalStaysInRange) {
  for (const double limit : {0.5, 2.0, 4.5})
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Moments m =
          moments_of(random::truncated_normal(random::key(4), {kCount}, limit, dtype));
      EXPECT_GE(m.low, -limit);
      EXPECT_LE(m.high, limit);
      EXPECT_NEAR(m.mean, 0, bound(1));
      const double phi = std::exp(-limit * limit / 2) / std::sqrt(2 * M_PI);
      EXPECT_NEAR(m.variance, 1 - 2 * limit * phi / std::erf(limit / std::sqrt(2)), 0.04) << limit;
    }
}

TEST(Random, DiscreteDistributions) {
  EXPECT_NEAR(moments_of(random::bernoulli(random::key(5), 0.3, {kCount})).mean, 0.3, bound(0.21));
  EXPECT_EQ(moments_of(random::bernoulli(random::key(5), 0, {100})).high, 0);
  EXPECT_EQ(moments_of(random::bernoulli(random::key(5), 1, {100})).low, 1);
  const Moments dice = moments_of(random::randint(random::key(6), {kCount}, 1, 7));
  EXPECT_EQ(dice.low, 1);
  EXPECT_EQ(dice.high, 6);
  EXPECT_NEAR(dice.mean, 3.5, bound(35.0 / 12));
  EXPECT_NEAR(moments_of(random::exponential(random::key(7), {kCount}, 2)).mean, 0.5, bound(0.25));

  std::vector<double> order = doubles(random::permutation(random::key(8), 500));
  EXPECT_FALSE(std::ranges::is_sorted(order));
  std::ranges::sort(order);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], static_cast<double>(i));

  const Tensor logits = broadcast_to(log(constant({0.2f, 0.5f, 0.3f})), {kCount, 3});
  const std::vector<double> drawn = doubles(random::categorical(random::key(9), logits));
  for (const auto& [index, probability] : std::map<double, double>{{0, 0.2}, {1, 0.5}, {2, 0.3}})
    EXPECT_NEAR(static_cast<double>(std::ranges::count(drawn, index)) / kCount, probability, 0.02);
}

TEST(Random, EqualKeysGiveEqualBits) {
  const auto draw = [](std::uint64_t seed) {
    return random::normal(random::key(seed), {50}, 0, 1, DType::f64).value();
  };
  EXPECT_EQ(draw(11), draw(11));
  EXPECT_FALSE(draw(11) == draw(12));
  EXPECT_FALSE(draw(1) == draw(1ull << 32));
  // A prefix does not depend on how much is drawn.
  EXPECT_EQ(slice(random::bits(random::key(3), {100}), 0, 0, 10).value(),
            random::bits(random::key(3), {10}).value());
}

TEST(Random, KeysMadeFromAKeyAreIndependent) {
  const Tensor key = random::key(21);
  std::set<std::vector<double>> seen{doubles(key)};
  std::vector<Tensor> keys = random::split_key(key, 8);
  for (std::uint32_t i = 0; i < 8; ++i) keys.push_back(random::fold_in(key, i));
  for (const Tensor& k : keys) EXPECT_TRUE(seen.insert(doubles(k)).second);
  EXPECT_EQ(random::fold_in(key, 3).value(),
            random::fold_in(key, Tensor(make_scalar<std::uint32_t>(3))).value());
  for (std::size_t i = 0; i < keys.size(); i += 3)
    for (std::size_t j = 0; j < i; j += 2)
      EXPECT_NEAR(
          correlation(random::uniform(keys[i], {kCount}), random::uniform(keys[j], {kCount})), 0,
          0.035);
}

TEST(Random, DropoutKeepsTheMeanAndTheRate) {
  const Tensor x = full({kCount}, 3);
  for (const double rate : {0.1, 0.5, 0.9}) {
    const std::vector<double> y = doubles(dropout(x, rate, random::key(31)));
    const auto zeros = static_cast<double>(std::ranges::count(y, 0.0));
    EXPECT_NEAR(zeros / kCount, rate, bound(rate * (1 - rate)));
    for (const double v : y) EXPECT_TRUE(v == 0 || std::abs(v - 3 / (1 - rate)) <= 1e-5 * v) << v;
  }
  EXPECT_EQ(dropout(x, 0, random::key(31)).value(), x.value());
}

TEST(Random, Errors) {
  const Tensor key = random::key(0);
  EXPECT_EQ(error_of([&] {
              random::bits(constant({1, 2}), {2});
            }),
            "random: a key is u32[2] (see random::key), got f32[2]");
  EXPECT_EQ(error_of([&] { random::uniform(key, {2}, 1, 0); }),
            "random::uniform: low 1 is above high 0");
  EXPECT_EQ(error_of([&] { random::uniform(key, {2}, 0, HUGE_VAL); }),
            "random::uniform: expected finite bounds of f32, got [0, inf)");
  EXPECT_EQ(error_of([&] { random::uniform(key, {2}, std::nan(""), 1); }),
            "random::uniform: expected finite bounds of f32, got [nan, 1)");
  EXPECT_EQ(error_of([&] { random::uniform(key, {2}, 0, 1e6, DType::f16); }),
            "random::uniform: expected finite bounds of f16, got [0, 1000000)");
  EXPECT_EQ(error_of([&] { random::uniform(key, {2}, 0, 1e-9 + 1, DType::f32); }), "no error");
  EXPECT_EQ(error_of([&] { random::uniform(key, {2}, 1.001, 1.002, DType::bf16); }),
            "random::uniform: no number of bf16 lies in [1.001, 1.002)");
  EXPECT_EQ(error_of([&] { random::exponential(key, {2}, HUGE_VAL); }),
            "random::exponential: rate inf is not a finite number above 0");
  EXPECT_EQ(error_of([&] { random::uniform(key, {2}, 0, 1, DType::i32); }),
            "random: uniform makes floats, not i32");
  EXPECT_EQ(error_of([&] { random::bernoulli(key, 1.5, {2}); }),
            "random::bernoulli: probability 1.5 is not in [0, 1]");
  EXPECT_EQ(error_of([&] { random::randint(key, {2}, 3, 3); }),
            "random::randint: [3, 3) is empty or beyond i32");
  EXPECT_EQ(error_of([&] { dropout(ones({2}), 1, key); }), "dropout: rate 1 is not in [0, 1)");
  EXPECT_EQ(error_of([&] { random::normal(key, {-1}); }).substr(0, 10), "random_bit");
}

}  // namespace
}  // namespace tenon
