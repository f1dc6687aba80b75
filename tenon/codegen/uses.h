// Where the values of a kernel are defined and last used, and which buffers may be one memory.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "tenon/kernel/kernel.h"

namespace tenon::codegen {

// Of a tile, or of its first part.
struct Extents {
  std::int64_t rows = 1, lanes = 1;
  bool operator==(const Extents&) const = default;
};

// Uses inside the body of a loop or an if count at that statement too; yields count at the end.
class Uses {
 public:
  explicit Uses(const kernel::Kernel& kernel);

  // Whether a statement of the block behind `position`, or its yields, uses the value.
  bool used_behind(kernel::ValueId value, const kernel::Block& block, std::size_t position) const;
  bool used_in(kernel::ValueId value, const kernel::Block& block) const;
  // Whether the value is an argument or a statement's result of this very block.
  bool defined_in(kernel::ValueId value, const kernel::Block& block) const;
  // How many operands and yields the value is, in the whole kernel.
  int count(kernel::ValueId value) const { return counts_[value.index]; }
  // What is outside of these rows and lanes of the tile changes nothing: no store writes it.
  const Extents& needed(kernel::ValueId value) const { return needed_[value.index]; }

 private:
  void walk(const kernel::Block& block);
  void use(kernel::ValueId value, const kernel::Block& block, std::size_t position);
  void survey_needs(const kernel::Kernel& kernel, const kernel::Block& block);

  std::map<const kernel::Block*, std::map<kernel::ValueId, std::size_t>> last_use_;
  std::vector<const kernel::Block*> home_;
  std::vector<int> counts_;
  std::vector<Extents> needed_;
};

// Two arguments of equal size in bytes may be one memory if one is only read and one is written
// (in place); all others are disjoint.
bool may_alias(const kernel::Kernel& kernel, kernel::BufferId a, kernel::BufferId b);

// The extents over which a statement works element by element; none for scalars, for statements
// that are not element by element, and for tiles that need no memory (lane index, splat, ...).
std::optional<Extents> lane_parallel_extents(const kernel::Kernel& kernel,
                                             const kernel::Statement& statement);

// The end of the run that starts at `begin`: statements that one loop over all elements can
// compute, element by element, with the same memory afterwards. Scalar statements in between
// belong to it and can stand before the loop. At least `begin` if the first does not qualify.
std::size_t find_run_end(const kernel::Kernel& kernel, const kernel::Block& block,
                         std::size_t begin);

}  // namespace tenon::codegen
