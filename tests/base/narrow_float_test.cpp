#include "tenon/base/narrow_float.h"

#include <gtest/gtest.h>
#include <cmath>
#include <limits>

namespace tenon {
namespace {

TEST(NarrowFloat, EveryFiniteFloat16SurvivesTheRoundTrip) {
  for (std::uint32_t word = 0; word < 0x10000; ++word) {
    const float value = f16_to_float(static_cast<std::uint16_t>(word));
    if (std::isnan(value)) continue;
    EXPECT_EQ(f16_bits(value), word);
  }
}

TEST(NarrowFloat, EveryFiniteBFloat16SurvivesTheRoundTrip) {
  for (std::uint32_t word = 0; word < 0x10000; ++word) {
    const float value = bf16_to_float(static_cast<std::uint16_t>(word));
    if (std::isnan(value)) continue;
    EXPECT_EQ(bf16_bits(value), word);
  }
}

TEST(NarrowFloat, RoundsTiesToEvenAndOverflowsToInfinity) {
  EXPECT_EQ(f16_bits(2049.0f), f16_bits(2048.0f));
  EXPECT_EQ(f16_bits(2051.0f), f16_bits(2052.0f));
  EXPECT_EQ(f16_bits(65519.0f), 0x7bff);
  EXPECT_EQ(f16_bits(65520.0f), 0x7c00);
  EXPECT_EQ(f16_bits(0x1p-25f), 0x0000);
  EXPECT_EQ(f16_bits(0x1.000002p-25f), 0x0001);
  EXPECT_EQ(bf16_bits(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_TRUE(std::isnan(f16_to_float(f16_bits(std::nanf("")))));
  EXPECT_TRUE(std::isnan(bf16_to_float(bf16_bits(std::nanf("")))));
}

}  // namespace
}  // namespace tenon
