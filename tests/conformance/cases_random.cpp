// Cases of random bits.
#include "case.h"

namespace tenon::conformance {
using namespace ir;

TENON_OP_CASES(RandomBits) {
  std::vector<Case> all;
  const auto append = [&](const Shape& shape, std::uint32_t first, std::uint32_t second) {
    all.push_back(single_op_case(
        fmt::format("random_bits/{}/key {:x} {:x}", tenon::to_string(shape), first, second),
        RandomBits{shape}, {make_tensor<std::uint32_t>({2}, {first, second})}));
  };
  append({17}, 0, 0);
  append({33}, 0xffffffffu, 0xffffffffu);
  append({3, 5, 7}, 0x13198a2eu, 0x03707344u);
  append({1025}, 1, 2);
  append({}, 3, 4);
  append({1, 1}, 4, 3);
  append({0, 5}, 5, 6);
  return all;
}

}  // namespace tenon::conformance
