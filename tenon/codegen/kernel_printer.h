// What the C and the CUDA printer share: walking blocks, naming values, one loop per run.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "tenon/codegen/uses.h"
#include "tenon/kernel/kernel.h"
#include "tenon/kernel/kernel_options.h"

namespace tenon::codegen {

// Scalars are C scalars v<id>. Inside the loop of a run, so is each element of its tiles; a tile
// that lives longer is an array t<id>, which loops and contractions update in place.
class KernelPrinter {
 public:
  explicit KernelPrinter(const kernel::Kernel& kernel, const kernel::KernelOptions& options = {});
  virtual ~KernelPrinter() = default;

 protected:
  // Where the elements of a value are found.
  struct Storage {
    enum class Kind : std::uint8_t { uniform, lane_index, row_index, local, array };
    Kind kind = Kind::uniform;
    std::string text;  // a scalar expression (uniform, local) or the array's name
    std::optional<kernel::Literal> literal{};  // the value, if it is known
  };
  // One loop nest over elements of a run: `rows` and `lanes` bound what an access may touch.
  struct Segment {
    std::int64_t row_begin = 0, row_end = 1, lane_begin = 0, lane_end = 1;
  };

  // Target hooks. `extents` is the shape that the statements share.
  virtual std::vector<Segment> segments(const kernel::Block& block, std::size_t begin,
                                        std::size_t end, const Extents& extents) const = 0;
  virtual void open_element_loop(const Extents& extents, const Segment& segment) = 0;
  virtual void close_element_loop(const Extents& extents, const Segment& segment) = 0;
  // The condition under which this loop's element is in the first `rows` and `lanes`: "" if it
  // always is, "0" if it never is.
  virtual std::string condition(const Segment& segment, const Extents& extents, std::int64_t rows,
                                std::int64_t lanes) const = 0;
  // This loop's element of a tile's array.
  virtual std::string array_element(const std::string& array,
                                    const kernel::TileType& type) const = 0;
  // The length of a tile's array.
  virtual std::int64_t array_length(const kernel::TileType& type) const = 0;
  virtual std::string array_attributes() const = 0;
  virtual std::string select_text(DType dtype, const std::string& predicate,
                                  const std::string& on_true, const std::string& on_false) const {
    (void)dtype;
    return fmt::format("{} ? {} : {}", predicate, on_true, on_false);
  }
  // What has to stand before a store of one scalar: "if (thread == 0) " for a team.
  virtual std::string scalar_store_guard() const = 0;
  // Whether the statement `i` of a run that begins at `begin` is better done before the run's loop,
  // for all elements; if so prints that.
  virtual bool print_at_once(const kernel::Block& block, std::size_t begin, std::size_t i) = 0;
  virtual void print_fold(const kernel::Fold& fold, kernel::ValueId result) = 0;
  virtual void print_contract(const kernel::Contract& contract, const kernel::Block& block,
                              std::size_t position) = 0;
  // Prints the whole loop and returns true if the target has a better form for it.
  virtual bool print_special_loop(const kernel::Block& block, std::size_t position) = 0;
  // Behind `if (...) {`.
  virtual void begin_branch() = 0;
  virtual void print_prefetch(const kernel::Prefetch& prefetch, const kernel::Block& block,
                              std::size_t position) = 0;
  virtual void print_barrier() = 0;

  void print_block(const kernel::Block& block);
  void print_scalar_statement(const kernel::Statement& statement);

  // The array of a tile that is about to be overwritten: the operand's own if nothing needs it
  // any more, else a new one with the operand's elements.
  std::string take_over(kernel::ValueId operand, const kernel::Block& block, std::size_t position,
                        kernel::ValueId result);
  bool is_taken_over(kernel::ValueId operand, const kernel::Block& block,
                     std::size_t position) const;
  // Gives the value an array, if it has none yet, and fills it.
  void materialize(kernel::ValueId value);
  void declare_array(kernel::ValueId value);
  std::string element(kernel::ValueId value) const;
  std::string place_text(kernel::BufferId buffer, kernel::ValueId offset, std::int64_t row_stride,
                         std::int64_t lane_stride, const Extents& extents) const;

  const kernel::TileType& type(kernel::ValueId value) const { return kernel_.type(value); }
  const std::string& buffer(kernel::BufferId id) const { return buffers_[id.index]; }
  Storage& storage(kernel::ValueId value) { return storage_[value.index]; }
  const Storage& storage(kernel::ValueId value) const { return storage_[value.index]; }
  static std::string scalar_name(kernel::ValueId value) { return fmt::format("v{}", value.index); }
  static std::string array_name(kernel::ValueId value) { return fmt::format("t{}", value.index); }

  void line(std::string_view text);
  void open(std::string_view text) {
    line(text);
    ++depth_;
  }
  void close(std::string_view text = "}") {
    --depth_;
    line(text);
  }

  const kernel::Kernel& kernel_;
  const kernel::KernelOptions options_;
  Uses uses_;
  std::string text_;
  int depth_ = 0;  // of indentation

 private:
  void print_run(const kernel::Block& block, std::size_t begin, std::size_t end);
  void print_loop(const kernel::Loop& loop, const kernel::Statement& statement,
                  const kernel::Block& block, std::size_t position);
  void print_yields(const kernel::Loop& loop);
  // Carried arrays that this block's yields may be computed into straight away.
  void assign_yield_arrays(const kernel::Block& block, std::size_t begin, std::size_t end);
  void print_element_statement(const kernel::Statement& statement, const Extents& extents,
                               const Segment& segment);
  // The value of a statement that computes one element (or a scalar), as an expression.
  std::string expression(const kernel::Instruction& instruction, kernel::ValueId result,
                         const Extents& extents, const Segment* segment) const;
  bool segment_has_effect(std::span<const kernel::Statement* const> each, const Extents& extents,
                          const Segment& segment) const;

  std::vector<std::string> buffers_;
  std::vector<Storage> storage_;
  std::vector<bool> is_declared_;  // arrays
};

}  // namespace tenon::codegen
