// Prints one kernel as CUDA C: a block of threads per instance that holds tiles between them.
#pragma once
#include "tenon/base/ceil_divide.h"
#include "tenon/codegen/kernel_printer.h"

namespace tenon::codegen {

// How a team holds a tile: element (r, l) is on thread (r % row_threads) * lane_threads +
// l % lane_threads, in its register (r / row_threads) * lane_registers + l / lane_threads. The
// threads split so that each holds as few elements, as nearly square, as can be; so a tile of one
// row holds lane l on thread l % team. All statements on tiles of one shape share this.
struct TeamMapping {
  std::int64_t row_threads = 1, lane_threads = 1;
  std::int64_t row_registers = 1, lane_registers = 1;
};
TeamMapping team_mapping(std::int64_t team, const Extents& extents);

// The device function tenon_team_<function>_<dtype>(value, members, scratch): combines one value
// of each of the first `members` threads, in an order that depends on `members` alone, and gives
// the result to every thread.
std::string team_fold_text(ScalarFunction function, DType dtype);

class CudaPrinter final : public KernelPrinter {
 public:
  using KernelPrinter::KernelPrinter;
  std::string print();

 private:
  std::vector<Segment> segments(const kernel::Block& block, std::size_t begin, std::size_t end,
                                const Extents& extents) const override;
  void open_element_loop(const Extents& extents, const Segment& segment) override;
  void close_element_loop(const Extents& extents, const Segment& segment) override;
  std::string condition(const Segment& segment, const Extents& extents, std::int64_t rows,
                        std::int64_t lanes) const override;
  std::string array_element(const std::string& array, const kernel::TileType& type) const override;
  std::int64_t array_length(const kernel::TileType& type) const override;
  std::string array_attributes() const override { return ""; }
  std::string scalar_store_guard() const override { return "if (thread == 0) "; }
  void print_fold(const kernel::Fold& fold, kernel::ValueId result) override;
  void print_contract(const kernel::Contract& contract, const kernel::Block& block,
                      std::size_t position) override;
  bool print_special_loop(const kernel::Block&, std::size_t) override { return false; }
  void begin_branch() override {}
  bool print_at_once(const kernel::Block&, std::size_t, std::size_t) override { return false; }
  void print_prefetch(const kernel::Prefetch&, const kernel::Block&, std::size_t) override {}
  void print_barrier() override { line("__syncthreads();"); }

  void print_team_fold(const kernel::Fold& fold, kernel::ValueId result);
  void print_shared_fold(const kernel::Fold& fold, kernel::ValueId result);
  // Bytes of shared memory that folds need, all in one array.
  std::int64_t scratch_bytes(const kernel::Block& block) const;
  TeamMapping mapping(const kernel::TileType& type) const {
    return team_mapping(kernel_.team, {type.rows, type.lanes});
  }
};

}  // namespace tenon::codegen
