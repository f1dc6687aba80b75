// One conformance case: a small graph with inputs; the suite runs it on every backend.
#pragma once
#include <string>
#include <vector>

#include "tenon/ir/build.h"
#include "tenon/ir/graph.h"

namespace tenon::conformance {

struct Case {
  std::string name;  // "reduce/sum/f32[2,3]/axes 0"
  ir::Graph graph;
  std::vector<HostTensor> inputs;
  // Compare the derivative with finite differences (graphs whose float inputs are all f64; inputs
  // chosen away from kinks and ties). Second derivatives are compared too.
  bool has_gradient = false;
  // Of small whole numbers: every order of its additions gives the same bits.
  bool is_exact = false;
};

// Every op struct has an overload: the suite visits ir::Op, so a new op without cases does not
// compile. Cases cover every element type the op takes and awkward shapes: scalar, extent 0,
// extent 1, odd extents such as 17 and 33 (beyond one vector), rank 4 and 5.
#define TENON_OP_CASES(OpName) std::vector<Case> cases(const ir::OpName*)
TENON_OP_CASES(Parameter);
TENON_OP_CASES(Constant);
TENON_OP_CASES(Iota);
TENON_OP_CASES(Elementwise);
TENON_OP_CASES(Select);
TENON_OP_CASES(Cast);
TENON_OP_CASES(Bitcast);
TENON_OP_CASES(Broadcast);
TENON_OP_CASES(Reshape);
TENON_OP_CASES(Transpose);
TENON_OP_CASES(Reverse);
TENON_OP_CASES(Slice);
TENON_OP_CASES(Pad);
TENON_OP_CASES(Concatenate);
TENON_OP_CASES(DynamicSlice);
TENON_OP_CASES(DynamicUpdateSlice);
TENON_OP_CASES(Reduce);
TENON_OP_CASES(CumulativeReduce);
TENON_OP_CASES(WindowReduce);
TENON_OP_CASES(WindowSelect);
TENON_OP_CASES(Dot);
TENON_OP_CASES(Convolution);
TENON_OP_CASES(Gather);
TENON_OP_CASES(Scatter);
TENON_OP_CASES(Sort);
TENON_OP_CASES(Scan);
TENON_OP_CASES(While);
TENON_OP_CASES(Cond);
TENON_OP_CASES(CustomGradient);
TENON_OP_CASES(Barrier);
TENON_OP_CASES(ShardingConstraint);
TENON_OP_CASES(RandomBits);
TENON_OP_CASES(Softmax);
TENON_OP_CASES(LogSoftmax);
TENON_OP_CASES(SparseCrossEntropy);
TENON_OP_CASES(LayerNorm);
TENON_OP_CASES(LayerNormGradient);
TENON_OP_CASES(RmsNorm);
TENON_OP_CASES(Attention);
TENON_OP_CASES(AdamUpdate);
TENON_OP_CASES(MomentumUpdate);

// All cases of all ops, in the order of ir::Op.
std::vector<Case> all_cases();

// Deterministic values in [low, high]: floats uniform, integers uniform whole numbers, bool both.
HostTensor random_tensor(const TensorType& type, std::uint64_t seed, double low = -2,
                         double high = 2);
// Distinct, well separated values in random order (for min, max and sort).
HostTensor distinct_tensor(const TensorType& type, std::uint64_t seed);

// Cases of several ops that passes and planning change, with state too; and random graphs. All of
// them are exact.
std::vector<Case> composed_cases();
std::vector<Case> kernel_cases();                     // that are made for choices of lowering
std::vector<Case> random_cases(std::uint64_t count);  // so many of each of three kinds

// Inputs of zeros and ones: sums and products of few of them stay exact.
Case exact_case(std::string name, ir::Graph graph);

// One node applied to inputs of the types of the tensors, all its results as outputs.
Case single_op_case(std::string name, ir::Op op, std::vector<HostTensor> inputs,
                    bool has_gradient = false);

}  // namespace tenon::conformance
