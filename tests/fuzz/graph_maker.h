// The pool of values and the choices that the makers of random nodes share.
#pragma once
#include "random_graph.h"

namespace tenon::fuzz {

class GraphMaker {
 public:
  GraphMaker(std::uint64_t seed, const RandomGraphOptions& options)
      : options_(options), random_{seed ^ 0x7465'6e6f'6e00ull} {}

  ir::Graph make();

  // Random choices.
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(bound)));
  }
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& values) {
    return values[static_cast<std::size_t>(below(static_cast<std::int64_t>(values.size())))];
  }
  // Sums and rounded functions of this type are left out.
  bool only_exact(DType dtype) const { return options_.exact_floats && is_float(dtype); }
  ScalarFunction function(int arity, DType dtype);  // that takes the type
  DType dtype() { return one_of(options_.dtypes); }
  Shape shape(std::int64_t highest_rank = 4);
  Axes some_axes(std::int64_t rank);  // sorted, unique
  Axes permutation(std::int64_t rank);

  // Values.
  ir::Value any();                                      // recent ones more often
  std::optional<ir::Value> where(bool (*fits)(DType));  // of a fitting element type
  ir::Value fresh(const TensorType& type);              // an input, constant, iota or splat
  ir::Value like(const TensorType& type);               // from the pool, or fresh
  const TensorType type(ir::Value v) const { return builder.type(v); }
  bool fits(const Shape& shape) const;

  // Adds the node and its results to the pool unless a result is too large.
  void add(ir::Op op, std::vector<ir::Value> operands);

  ir::Builder builder;

 private:
  RandomGraphOptions options_;
  ThreefrySequence random_;
  std::vector<ir::Value> pool_;
  int inputs_ = 0;
};

using Maker = void (*)(GraphMaker&);
std::vector<Maker> arithmetic_makers();
std::vector<Maker> movement_makers();
std::vector<Maker> reduction_makers();
std::vector<Maker> composite_makers();
std::vector<Maker> control_makers();

}  // namespace tenon::fuzz
