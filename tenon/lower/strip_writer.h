// Writes rows of a padded input of a convolution into memory of an instance.
#pragma once
#include "tenon/lower/contraction.h"

namespace tenon::lower {

// Rows are along the first spatial axis of an input [images, spatial..., features]: zeros, and
// between them the elements of the input.
struct StripWriter {
  Emitter& emitter;
  Shape low, high;  // zeros before and after, of each spatial axis
  Shape input;      // extents before padding
  Shape padded;     // and after
  kernel::BufferId from, to;

  // `count` rows from padded row `first` on, to element `target`; the image starts at `image`.
  void write_rows(kernel::ValueId image, kernel::ValueId first, std::int64_t count,
                  kernel::ValueId target) const;

 private:
  void store_zeros(kernel::ValueId offset, std::int64_t count) const;
  kernel::ValueId plus(kernel::ValueId offset, std::int64_t distance) const;
  // What lies along `axis` and the axes after it, from its first element on.
  void write_axis(std::size_t axis, kernel::ValueId source, kernel::ValueId target) const;
};

}  // namespace tenon::lower
