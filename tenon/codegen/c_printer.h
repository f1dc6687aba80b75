// Prints one kernel as C: loops over rows and lanes, partial sums, register-blocked contractions.
#pragma once
#include "tenon/codegen/kernel_printer.h"

namespace tenon::codegen {

class CPrinter final : public KernelPrinter {
 public:
  using KernelPrinter::KernelPrinter;
  std::string print();

 private:
  // Memory that is fetched during a contraction: rows of contiguous lanes.
  struct Ahead {
    kernel::Access access;
    std::string hint;  // arguments of the builtin behind the address
  };
  // A block of accumulators that fits the registers: rows and lanes of a tile.
  struct RegisterBlock {
    std::string row;  // the first, as C text; "" for 0
    std::int64_t rows, lane, lanes;
    bool goes_on = false;        // from sums of an earlier block of the contracted axis
    std::vector<Ahead> ahead{};  // of the whole tile
  };
  // Where accumulators come from and go to: a tile's array, or one number they all start with.
  struct Accumulators {
    std::string array;
    std::string start;  // "" if they start from the array
  };

  std::vector<Segment> segments(const kernel::Block& block, std::size_t begin, std::size_t end,
                                const Extents& extents) const override;
  void open_element_loop(const Extents& extents, const Segment& segment) override;
  void close_element_loop(const Extents& extents, const Segment& segment) override;
  std::string condition(const Segment& segment, const Extents& extents, std::int64_t rows,
                        std::int64_t lanes) const override;
  std::string array_element(const std::string& array, const kernel::TileType& type) const override;
  std::int64_t array_length(const kernel::TileType& type) const override {
    return type.rows * type.lanes;
  }
  std::string array_attributes() const override { return " __attribute__((aligned(64)))"; }
  std::string scalar_store_guard() const override { return ""; }
  std::string select_text(DType dtype, const std::string& predicate, const std::string& on_true,
                          const std::string& on_false) const override {
    return fmt::format("tenon_select_{}({}, {}, {})", dtype, predicate, on_true, on_false);
  }
  bool print_at_once(const kernel::Block& block, std::size_t begin, std::size_t i) override;
  void print_fold(const kernel::Fold& fold, kernel::ValueId result) override;
  void print_contract(const kernel::Contract& contract, const kernel::Block& block,
                      std::size_t position) override;
  bool print_special_loop(const kernel::Block& block, std::size_t position) override;
  void begin_branch() override { line("TENON_BRANCH"); }
  void print_prefetch(const kernel::Prefetch& prefetch, const kernel::Block& block,
                      std::size_t position) override;
  void print_barrier() override {}

  // The loop that follows has independent iterations.
  void print_independent() {
    if (options_.tell_independence) line("TENON_INDEPENDENT");
  }
  void print_lane_fold(const kernel::Fold& fold, kernel::ValueId result);
  void print_row_fold(const kernel::Fold& fold, kernel::ValueId result);
  // The contraction inside the loop, if the loop does nothing but carry its accumulator.
  const kernel::Contract* carried_contract(const kernel::Block& block,
                                           kernel::ValueId carried) const;
  // A contraction, or a loop around one, whose accumulators stay in registers throughout.
  void print_in_registers(const kernel::Contract& contract, kernel::ValueId initial,
                          const kernel::Block& block, std::size_t position);
  void print_register_statement(const kernel::Statement& statement, const RegisterBlock& registers);
  void print_depth_loop(const kernel::Contract& contract, const RegisterBlock& registers);
  void print_register_block(const kernel::Statement& statement, const RegisterBlock& registers,
                            const Accumulators& accumulators);
  // Whether accumulators of all rows and lanes are in registers at once.
  bool has_one_register_block(const kernel::Contract& contract) const;
  // The contraction that print_special_loop prints; null if it prints none.
  const kernel::Contract* special_contract(const kernel::Loop& loop) const;
  // Whether the statement at `position` is a prefetch of contiguous lanes that the contraction
  // behind it takes care of.
  bool is_spread(const kernel::Block& block, std::size_t position) const;
  // What the prefetches before `position` that are spread ask for, and what the statements behind
  // it touch of tiles like the contraction's.
  std::vector<Ahead> touched_ahead(const kernel::Block& block, std::size_t position) const;
  // Prefetches the part that is due in turn `turn` (C text) of `turns`.
  void print_prefetches(const RegisterBlock& registers, const std::string& turn,
                        std::int64_t turns);
  // Prefetches what the contraction reads some steps later, where steps lie far apart.
  void print_operand_prefetches(const kernel::Contract& contract, const RegisterBlock& registers);
  void print_integer_contract(const kernel::Contract& contract, const std::string& array);
  static std::string row_text(const RegisterBlock& registers);
  void print_scalar_contract(const kernel::Contract& contract, kernel::ValueId result);
};

}  // namespace tenon::codegen
