// What lowering and the C printer do to make kernels faster, each of which can be left out.
#pragma once
#include "tenon/base/switches.h"

namespace tenon::kernel {

// A kernel without one of these, or without all, computes the same: the same bits, but without
// those marked "order", which decide in which order sums of floats are taken.
struct KernelOptions {
  // --- products ---
  bool fill_registers = true;      // tiles as large as the registers hold
  bool pack_operands = true;       // operands copied into panels
  bool block_products = true;      // through the contracted axis in blocks
  bool copy_blocks = true;         // a block of the right operand copied into panels
  bool chunk_rows = true;          // all lanes of some rows before the next rows
  bool multiply_lanes = true;      // lane by lane where every element is used once; order
  bool fold_products = true;       // lanes along the contracted axis; order
  bool sum_as_memory_lies = true;  // contracted axes in the order of memory; order
  bool cut_long_sums = true;       // long sums, of products too, in parts side by side; order
  bool pad_in_strips = true;       // the padded input of a convolution a strip at a time
  bool sum_in_strips = true;       // gradients of its kernel strip by strip; order
  bool skip_gaps = true;           // no products with what lies between dilated elements
  // --- reductions and element by element ---
  bool fold_short_rows = true;    // rows that fill no vector side by side
  bool tile_rows = true;          // several rows at once
  bool tile_transposes = true;    // tiles along both axes of what is transposed
  bool join_short_lanes = true;   // a short last axis and the one before as one
  bool branch_by_segment = true;  // conditions on an axis once for each of a few segments
  bool unroll_windows = true;     // small windows written out
  bool share_folds = true;        // a fold that two need once
  bool gather_runs = true;        // gathered rows as runs of memory
  bool narrow_indices = true;     // i32 where it holds every element number
  bool prefetch = true;           // what is read next is asked for
  // --- the text ---
  bool transpose_in_registers = true;  // vectors read along one axis and written along the other
  bool keep_accumulators = true;       // in registers throughout loops around a contraction
  bool widen_extremes = true;          // long minima and maxima in more partial results
  bool join_statements = true;         // one loop over the elements for several statements
  bool reuse_arrays = true;            // a tile in the array of one that is not needed any more
  bool drop_unneeded = true;           // parts of tiles that nothing reads are not computed
  bool compare_with_bounds = true;     // minima and maxima with a constant as one comparison
  bool raise_scalars = true;           // scalars before the loops that they do not wait for
  bool tell_independence = true;       // the compiler is told what cannot overlap
  bool operator==(const KernelOptions&) const = default;
};

// All of them, in the order of the fields.
std::span<const Switch<KernelOptions>> kernel_switches();

}  // namespace tenon::kernel
