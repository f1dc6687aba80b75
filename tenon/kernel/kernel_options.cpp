#include "tenon/kernel/kernel_options.h"

namespace tenon::kernel {

std::span<const Switch<KernelOptions>> kernel_switches() {
  static constexpr Switch<KernelOptions> kSwitches[] = {
      {"fill_registers", &KernelOptions::fill_registers},
      {"pack_operands", &KernelOptions::pack_operands},
      {"block_products", &KernelOptions::block_products},
      {"copy_blocks", &KernelOptions::copy_blocks},
      {"chunk_rows", &KernelOptions::chunk_rows},
      {"multiply_lanes", &KernelOptions::multiply_lanes},
      {"fold_products", &KernelOptions::fold_products},
      {"sum_as_memory_lies", &KernelOptions::sum_as_memory_lies},
      {"cut_long_sums", &KernelOptions::cut_long_sums},
      {"pad_in_strips", &KernelOptions::pad_in_strips},
      {"sum_in_strips", &KernelOptions::sum_in_strips},
      {"skip_gaps", &KernelOptions::skip_gaps},
      {"fold_short_rows", &KernelOptions::fold_short_rows},
      {"tile_rows", &KernelOptions::tile_rows},
      {"tile_transposes", &KernelOptions::tile_transposes},
      {"join_short_lanes", &KernelOptions::join_short_lanes},
      {"branch_by_segment", &KernelOptions::branch_by_segment},
      {"unroll_windows", &KernelOptions::unroll_windows},
      {"share_folds", &KernelOptions::share_folds},
      {"gather_runs", &KernelOptions::gather_runs},
      {"narrow_indices", &KernelOptions::narrow_indices},
      {"prefetch", &KernelOptions::prefetch},
      {"transpose_in_registers", &KernelOptions::transpose_in_registers},
      {"keep_accumulators", &KernelOptions::keep_accumulators},
      {"widen_extremes", &KernelOptions::widen_extremes},
      {"join_statements", &KernelOptions::join_statements},
      {"reuse_arrays", &KernelOptions::reuse_arrays},
      {"drop_unneeded", &KernelOptions::drop_unneeded},
      {"compare_with_bounds", &KernelOptions::compare_with_bounds},
      {"raise_scalars", &KernelOptions::raise_scalars},
      {"tell_independence", &KernelOptions::tell_independence},
  };
  // A field without a name could not be left out.
  static_assert(sizeof(KernelOptions) == std::size(kSwitches) * sizeof(bool));
  return kSwitches;
}

}  // namespace tenon::kernel
