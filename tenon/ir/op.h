// The whole op vocabulary. An op is a value: which operation, with which attributes.
#pragma once
#include <variant>

#include "tenon/base/variant.h"
#include "tenon/ir/ops/annotation.h"
#include "tenon/ir/ops/composite.h"
#include "tenon/ir/ops/contraction.h"
#include "tenon/ir/ops/control.h"
#include "tenon/ir/ops/dynamic.h"
#include "tenon/ir/ops/elementwise.h"
#include "tenon/ir/ops/indexing.h"
#include "tenon/ir/ops/leaf.h"
#include "tenon/ir/ops/movement.h"
#include "tenon/ir/ops/random.h"
#include "tenon/ir/ops/reduce.h"
#include "tenon/ir/ops/sort.h"
#include "tenon/ir/ops/window.h"

namespace tenon::ir {

using Op = std::variant<
    // leaves
    Parameter, Constant, Iota,
    // elementwise
    Elementwise, Select, Cast, Bitcast,
    // movement
    Broadcast, Reshape, Transpose, Reverse, Slice, Pad, Concatenate, DynamicSlice,
    DynamicUpdateSlice,
    // reductions
    Reduce, CumulativeReduce, WindowReduce, WindowSelect,
    // contractions
    Dot, Convolution,
    // indexing and sorting
    Gather, Scatter, Sort,
    // control flow
    Scan, While, Cond, CustomGradient,
    // annotations
    Barrier, ShardingConstraint,
    // random numbers and other composites
    RandomBits, Softmax, LogSoftmax, SparseCrossEntropy, LayerNorm, LayerNormGradient, RmsNorm,
    Attention, AdamUpdate, MomentumUpdate>;

template <class Variant>
inline constexpr bool every_op_is_defined = false;
template <class... Ops>
inline constexpr bool every_op_is_defined<std::variant<Ops...>> = (OpDefinition<Ops> && ...);

// The op's name as graphs print it; for Elementwise that of its function.
std::string_view name(const Op& op);
std::uint64_t hash(const Op& op);
TensorTypes infer_types(const Op& op, OperandTypes types);
HostTensors evaluate(const Op& op, OperandValues values);
Gradients gradient(const Op& op, const GradientInputs& in);
// The definition of a composite; none for a primitive.
std::optional<Graph> definition_of(const Op& op, OperandTypes types);

}  // namespace tenon::ir
