// Every backend agrees with the reference on every case. To run some cases alone:
//   TENON_TEST_CASES=reduce/sum build/tests/test_conformance --gtest_filter='*Backends*'
#include <gtest/gtest.h>

#include "run_cases.h"
#include "tenon/backends/backend.h"
#include "tests/backends/backends_testing.h"

namespace tenon::conformance {
namespace {

class Backends : public testing::TestWithParam<std::string> {};

TEST_P(Backends, AgreeWithTheReference) {
  std::vector<Case> cases = all_cases();
  for (Case& c : composed_cases()) cases.push_back(std::move(c));
  for (Case& c : kernel_cases()) cases.push_back(std::move(c));
  run_batches(GetParam(), batches_of(cases));
}

// What processors without AVX-512 run: vectors of half the size, other intrinsics.
TEST(Cpu, ProductsInNarrowVectorsAgreeWithTheReference) {
  std::vector<Case> cases;
  for (const Case& c : all_cases())
    if (c.name.starts_with("dot/") || c.name.starts_with("convolution/")) cases.push_back(c);
  ASSERT_FALSE(cases.empty());
  const backends::ScopedVariable narrow("TENON_VECTOR_BYTES", "32");
  run_batches("cpu", batches_of(cases));
}

std::vector<std::string> devices_to_test() {
  std::vector<std::string> names = backends::device_names();
  std::erase(names, "reference");
  return names;
}

INSTANTIATE_TEST_SUITE_P(Device, Backends, testing::ValuesIn(devices_to_test()),
                         [](const auto& device) { return device.param; });

}  // namespace
}  // namespace tenon::conformance
