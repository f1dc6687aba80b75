#include "tenon/lower/emitter.h"

namespace tenon::lower {

namespace {

using namespace kernel;

constexpr double kLoopNanoseconds = 0.5;
constexpr double kFlopsPerNanosecond = 60;

// Nanoseconds for one element, in vector code.
double element_cost(ScalarFunction f) {
  using enum ScalarFunction;
  switch (f) {
    case exp:
    case expm1:
    case log:
    case log1p:
    case cbrt:
    case sin:
    case cos:
    case tan:
    case tanh:
    case logistic:
    case erf: return 1.0;
    case power:
    case atan2:
    case remainder: return 3.0;
    case sqrt:
    case rsqrt:
    case divide: return 0.4;
    case negate:
    case abs:
    case sign:
    case floor:
    case ceil:
    case round_nearest_even:
    case is_finite:
    case logical_not:
    case population_count:
    case add:
    case subtract:
    case multiply:
    case minimum:
    case maximum:
    case logical_and:
    case logical_or:
    case logical_xor:
    case shift_left:
    case shift_right_logical:
    case shift_right_arithmetic:
    case equal:
    case not_equal:
    case less:
    case less_equal:
    case greater:
    case greater_equal: break;
  }
  return 0.06;
}

double block_cost(const Kernel& kernel, const Block& block);

double statement_cost(const Kernel& kernel, const Statement& statement) {
  const auto elements = [&](ValueId value) {
    return static_cast<double>(kernel.type(value).rows * kernel.type(value).lanes);
  };
  const auto result = [&] { return elements(statement.results[0]); };
  return std::visit(
      cases{
          [](const Literal&) { return 0.0; },
          [](const LaneIndex&) { return 0.0; },
          [](const RowIndex&) { return 0.0; },
          [&](const Call& call) { return result() * element_cost(call.function); },
          [&](const FusedMultiplyAdd&) { return result() * 0.06; },
          [&](const Select&) { return result() * 0.06; },
          [&](const Cast&) { return result() * 0.08; },
          [](const Bitcast&) { return 0.0; },
          [&](const RandomWord&) { return result() * 4; },
          [](const Splat&) { return 0.0; },
          [&](const Load& load) { return result() * (load.access.lane_stride > 1 ? 0.5 : 0.12); },
          [&](const Store& store) {
            const double touched =
                static_cast<double>(store.access.active_rows * store.access.active_lanes);
            return touched * (store.access.lane_stride > 1 ? 0.6 : 0.12);
          },
          [&](const LoadIndexed&) { return result() * 0.8; },
          [&](const StoreIndexed& store) { return elements(store.index) * 1.0; },
          [&](const Fold& fold) { return elements(fold.tile) * 0.08 + 3; },
          [&](const Contract& contract) {
            const double products = static_cast<double>(contract.active_rows) *
                                    static_cast<double>(contract.active_lanes) *
                                    static_cast<double>(contract.depth);
            return 2 * products / kFlopsPerNanosecond + 2;
          },
          [](const Prefetch&) { return 0.0; },
          [](const Barrier&) { return 0.0; },
          [&](const Loop& loop) {
            return static_cast<double>(loop.extent) *
                   (block_cost(kernel, loop.body) + kLoopNanoseconds);
          },
          // Most conditions choose between a whole tile and a last, smaller one.
          [&](const If& node) { return block_cost(kernel, node.body) * 0.6; },
      },
      statement.instruction);
}

double block_cost(const Kernel& kernel, const Block& block) {
  double total = 0;
  for (const Statement& statement : block.statements) total += statement_cost(kernel, statement);
  return total;
}

}  // namespace

double estimate_cost(const Kernel& kernel) {
  return static_cast<double>(kernel.grid) * (block_cost(kernel, kernel.body) + 2);
}

}  // namespace tenon::lower
