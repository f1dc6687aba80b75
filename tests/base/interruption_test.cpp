#include "tenon/base/interruption.h"

#include <gtest/gtest.h>

#include <thread>

#include "tenon/base/error.h"

namespace tenon {
namespace {

// Longer than the time for which a scope is not asked again.
void let_time_pass() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

TEST(Interruption, PointsOutsideScopesDoNothing) {
  EXPECT_FALSE(InterruptionScope::is_open());
  interruption_point();
  {
    const InterruptionScope scope([] { return true; });
    EXPECT_TRUE(InterruptionScope::is_open());
    EXPECT_THROW(interruption_point(), Interrupted);
  }
  EXPECT_FALSE(InterruptionScope::is_open());
  interruption_point();
}

TEST(Interruption, IsAskedAtTheFirstPointAndSeldomLater) {
  int questions = 0;
  const InterruptionScope scope([&] { return ++questions == 2; });
  interruption_point();
  EXPECT_EQ(questions, 1);
  let_time_pass();
  EXPECT_THROW(interruption_point(), Interrupted);
  EXPECT_EQ(questions, 2);
  interruption_point();  // asked again at once after that
  EXPECT_EQ(questions, 3);
  constexpr int kMany = 1'000'000;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kMany; ++i) interruption_point();
  const auto elapsed = std::chrono::steady_clock::now() - start;
  EXPECT_LE(questions, 4 + elapsed / std::chrono::milliseconds(1));
  EXPECT_LT(questions, kMany);
}

TEST(Interruption, AScopeWithinAnotherIsInterruptedByEither) {
  bool outer_wants = false, inner_wants = false;
  const InterruptionScope outer([&] { return outer_wants; });
  {
    const InterruptionScope inner([&] { return inner_wants; });
    interruption_point();
    outer_wants = true;
    let_time_pass();
    EXPECT_THROW(interruption_point(), Interrupted);
    outer_wants = false;
    inner_wants = true;
    let_time_pass();
    EXPECT_THROW(interruption_point(), Interrupted);
  }
  let_time_pass();
  interruption_point();
  EXPECT_TRUE(InterruptionScope::is_open());
}

TEST(Interruption, IsOfItsThreadAlone) {
  const InterruptionScope scope([] { return true; });
  bool is_open = true;
  std::thread([&] {
    is_open = InterruptionScope::is_open();
    interruption_point();
  }).join();
  EXPECT_FALSE(is_open);
}

TEST(Interruption, IsNoError) {
  const InterruptionScope scope([] { return true; });
  try {
    interruption_point();
    FAIL();
  } catch (const Error&) {
    FAIL() << "an interruption was taken for an error";
  } catch (const std::exception& interruption) {
    EXPECT_STREQ(interruption.what(), "interrupted, as the caller asked");
  }
}

}  // namespace
}  // namespace tenon
