// How the gradient of a convolution's kernel walks over its operands: what depends on shapes alone.
#pragma once
#include "tenon/lower/contraction.h"

namespace tenon::lower {

// Sums of rows x lanes of a tile; lanes are features of the padded input if they are swapped.
struct SumTile {
  bool is_swapped = false;
  TileSize size;
  double cost = 0;
};

SumTile choose_sum_tile(const Target& target, DType accumulate, std::int64_t rows,
                        std::int64_t lanes);

struct SumGroups {
  const AxisGroup* input = nullptr;  // features (and more) of the padded input, contiguous
  const AxisGroup* other = nullptr;  // of the other operand, contiguous and last in the result
};

// None where the result has other axes, or in another order.
std::optional<SumGroups> find_sum_groups(const Contraction& problem);

// Everything about the walk over the images that depends on shapes alone.
struct SumWalk {
  ContractedAxis images;
  std::vector<ContractedAxis> spatial;
  std::int64_t row_elements = 1;  // of the padded input, along the first spatial axis
  std::int64_t window = 1;        // rows that a place needs
  std::int64_t blocks = 1;
  std::int64_t images_at_once = 1, rows_at_once = 1;
  std::int64_t row_step = 1;  // rows from one place to the next

  std::int64_t rows_for(std::int64_t places) const { return (places - 1) * row_step + window; }
  std::int64_t strip_elements() const { return rows_for(rows_at_once) * row_elements; }
};

SumWalk walk_over(const Contraction& problem);

}  // namespace tenon::lower
