#include "tenon/train/histogram.h"

#include <cmath>
#include <limits>

#include "../data/sample_reading.h"
#include "train_testing.h"

namespace tenon {
namespace {

TEST(Histogram, AgreesWithNumpy) {
  const nlohmann::json all = samples::read_samples("compression_samples.json");
  for (const nlohmann::json& sample : all.at("histograms")) {
    const HostTensor values = samples::read_tensor(sample.at("values"));
    const Histogram found = histogram_of(values, sample.at("bins"));
    EXPECT_EQ(found.counts, sample.at("counts").get<std::vector<std::int64_t>>()) << sample;
    const auto edges = sample.at("edges").get<std::vector<double>>();
    ASSERT_EQ(found.edges.size(), edges.size());
    for (std::size_t i = 0; i < edges.size(); ++i)
      EXPECT_NEAR(found.edges[i], edges[i], 1e-13 * std::max(1.0, std::abs(edges[i])));
    EXPECT_NEAR(found.sum, sample.at("sum").get<double>(), 1e-10);
    EXPECT_NEAR(found.sum_of_squares, sample.at("sum_of_squares").get<double>(), 1e-9);
    EXPECT_EQ(found.count, values.size());
    EXPECT_EQ(found.not_finite, 0);
  }
}

TEST(Histogram, LeavesOutWhatIsNotFinite) {
  const Histogram found =
      histogram_of(make_tensor<float>({6}, {NAN, 1, INFINITY, 3, -INFINITY, 2}), 2);
  EXPECT_EQ(found.not_finite, 3);
  EXPECT_EQ(found.counts, (std::vector<std::int64_t>{1, 2}));
  const Histogram none = histogram_of(make_tensor<float>({2}, {NAN, NAN}));
  EXPECT_EQ(none.count, 0);
  EXPECT_TRUE(none.edges.empty() && none.counts.empty());
  EXPECT_EQ(histogram_of(HostTensor({DType::f32, {0}})).count, 0);
}

TEST(Histogram, CountsEveryValueOfAnyRange) {
  const double most = std::numeric_limits<double>::max();
  for (const std::vector<double>& values : {std::vector{-most, 0.0, most},
                                            {5e-324, 1e-323, 0},
                                            {1e300, 1e300, 1e300},
                                            {1, 1 + 1e-16}}) {
    const Histogram found = histogram_of(
        make_tensor<double>({static_cast<std::int64_t>(values.size())}, std::span(values)), 7);
    std::int64_t sum = 0;
    for (const std::int64_t count : found.counts) sum += count;
    EXPECT_EQ(sum, static_cast<std::int64_t>(values.size()));
    EXPECT_TRUE(std::ranges::is_sorted(found.edges));
  }
}

TEST(Histogram, RefusesNoBins) {
  EXPECT_EQ(error_of([] { histogram_of(make_scalar(1.0f), 0); }),
            "histogram: from 1 to 10000 bins expected, got 0");
}

}  // namespace
}  // namespace tenon
