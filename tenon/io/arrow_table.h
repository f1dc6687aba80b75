// Tables of Parquet and Arrow IPC files, batch by batch, by way of the Arrow plugin.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct ArrowArrayStream;

namespace tenon::io {

enum class ArrowKind : std::uint8_t { parquet = 0, ipc = 1 };

// The values of one batch.
struct ArrowColumn {
  bool is_text = false;
  bool is_whole = false;                    // integers and bools
  std::vector<double> numbers = {};         // unless is_text; integers beyond 2^53 are rounded
  std::vector<std::int32_t> text_ids = {};  // if is_text: indices into texts
  std::vector<std::string> texts = {};
  // Rows of nulls, ascending, if they are kept: NaN, or text -1.
  std::vector<std::int64_t> missing = {};
};

enum class ArrowNulls : std::uint8_t { refuse, keep };

struct ArrowBatch {
  std::int64_t first_row = 0;  // in the file
  std::int64_t rows = 0;
  std::vector<ArrowColumn> columns;
};

// Whether the plugin is there.
bool has_arrow();

// What is said of a null.
inline constexpr const char* kNoArrowValue =
    "there is no value; fill in or leave out such rows first";

class ArrowBatches {
 public:
  // All columns, or `column` alone if there is such a one. UserError for what Arrow refuses, and if
  // the plugin is not there: with how to get it.
  static ArrowBatches open(const std::filesystem::path& path, ArrowKind kind,
                           const std::optional<std::string>& column = {});
  // Takes over the stream, which it releases at its end; `name` is for messages.
  ArrowBatches(std::string name, const ArrowArrayStream& stream);
  ~ArrowBatches();
  ArrowBatches(ArrowBatches&& other) noexcept;
  ArrowBatches& operator=(ArrowBatches&& other) noexcept;

  const std::string& name() const;
  const std::vector<std::string>& column_names() const;
  // The next batch; nothing after the last. Bools, integers, floats of all widths, texts and
  // dictionaries of texts are read. UserError "FILE: row N, column "C": REASON" for a null unless
  // they are kept, and for a column of another type.
  std::optional<ArrowBatch> next(ArrowNulls nulls = ArrowNulls::refuse);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tenon::io
