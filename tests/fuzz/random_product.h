// Random products of matrices, transposed or not, with what is done with their results.
#pragma once
#include <vector>

#include "tenon/ir/build.h"

namespace tenon::fuzz {

struct RandomProduct {
  std::string name;  // its sizes
  ir::Graph graph;   // one output
  // Whole numbers so small that every order of additions gives the same bits.
  std::vector<HostTensor> inputs;
  std::vector<HostTensor> fractions;  // as inputs, but the order matters
};

// The same for the same arguments. With a batch or without, odd sizes and whole vectors; behind
// the product any of a bias, a factor for each row, a rectifier, and another value.
RandomProduct random_product(std::uint64_t seed, bool transposes_lhs, bool transposes_rhs,
                             DType dtype);

}  // namespace tenon::fuzz
