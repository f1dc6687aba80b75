#include "tenon/io/arrow_table.h"

#include <cstring>
#include <limits>
#include <span>
#include <unordered_map>

#include "tenon/base/error.h"
#include "tenon/base/narrow_float.h"
#include "tenon/base/text.h"
#include "tenon/io/arrow_abi.h"

namespace tenon::io {
namespace {

bool bit_at(const void* bits, std::int64_t place) {
  const auto* bytes = static_cast<const std::uint8_t*>(bits);
  return (bytes[place / 8] >> (place % 8) & 1) != 0;
}

// One column of a batch: rows `first` to first + rows - 1 of the array.
struct ColumnView {
  const ArrowSchema& schema;
  const ArrowArray& array;
  std::int64_t first, rows;
  std::int64_t file_row;  // of the first
  const std::string& file;

  [[noreturn]] void fail(std::int64_t row, const std::string& reason) const {
    throw UserError(fmt::format("{}: row {}, column {}: {}", file, file_row + row,
                                in_quotes(schema.name), reason));
  }

  bool has_nulls() const {
    return array.null_count != 0 && array.n_buffers >= 1 && array.buffers[0] != nullptr;
  }
  bool is_null(std::int64_t row) const { return !bit_at(array.buffers[0], first + row); }
  std::vector<std::int64_t> nulls() const {
    std::vector<std::int64_t> missing;
    for (std::int64_t row = 0; has_nulls() && row < rows; ++row)
      if (is_null(row)) missing.push_back(row);
    return missing;
  }
  void refuse_nulls() const {
    for (std::int64_t row = 0; has_nulls() && row < rows; ++row)
      if (is_null(row)) fail(row, kNoArrowValue);
  }

  template <class T>
  T value(std::int64_t row) const {
    T result;
    std::memcpy(&result,
                static_cast<const std::byte*>(array.buffers[1]) +
                    static_cast<std::size_t>(first + row) * sizeof(T),
                sizeof(T));
    return result;
  }

  // Row `row` as an integer; none if the format is no integer's.
  std::optional<std::int64_t> integer(char format, std::int64_t row) const {
    switch (format) {
      case 'c': return value<std::int8_t>(row);
      case 'C': return value<std::uint8_t>(row);
      case 's': return value<std::int16_t>(row);
      case 'S': return value<std::uint16_t>(row);
      case 'i': return value<std::int32_t>(row);
      case 'I': return value<std::uint32_t>(row);
      case 'l': return value<std::int64_t>(row);
    }
    return std::nullopt;
  }

  template <class Offset>
  std::string_view text(std::int64_t row) const {
    const auto from = value<Offset>(row), to = value<Offset>(row + 1);
    return {static_cast<const char*>(array.buffers[2]) + from, static_cast<std::size_t>(to - from)};
  }
};

template <class Get>
void fill_numbers(ArrowColumn& column, std::int64_t rows, Get get) {
  column.numbers.resize(static_cast<std::size_t>(rows));
  for (std::int64_t row = 0; row < rows; ++row)
    column.numbers[static_cast<std::size_t>(row)] = static_cast<double>(get(row));
}

template <class Text>
void fill_texts(ArrowColumn& column, const ColumnView& view, Text text) {
  column.is_text = true;
  const bool has_nulls = view.has_nulls();
  std::unordered_map<std::string_view, std::int32_t> ids;  // of bytes in the batch
  for (std::int64_t row = 0; row < view.rows; ++row) {
    if (has_nulls && view.is_null(row)) {
      column.text_ids.push_back(-1);
      continue;
    }
    const std::string_view one = text(row);
    const auto [found, is_new] = ids.emplace(one, static_cast<std::int32_t>(ids.size()));
    if (is_new) column.texts.emplace_back(one);
    column.text_ids.push_back(found->second);
  }
}

ArrowColumn read_plain(const ColumnView& view, std::string_view format) {
  ArrowColumn column;
  column.is_whole = true;
  if (format == "u") {
    fill_texts(column, view, [&](std::int64_t row) { return view.text<std::int32_t>(row); });
  } else if (format == "U") {
    fill_texts(column, view, [&](std::int64_t row) { return view.text<std::int64_t>(row); });
  } else if (format == "b") {
    fill_numbers(column, view.rows,
                 [&](std::int64_t row) { return bit_at(view.array.buffers[1], view.first + row); });
  } else if (format == "L") {
    fill_numbers(column, view.rows,
                 [&](std::int64_t row) { return view.value<std::uint64_t>(row); });
  } else if (format.size() == 1 &&
             std::string_view("cCsSiIl").find(format) != std::string_view::npos) {
    fill_numbers(column, view.rows,
                 [&](std::int64_t row) { return *view.integer(format[0], row); });
  } else {
    column.is_whole = false;
    if (format == "e")
      fill_numbers(column, view.rows,
                   [&](std::int64_t row) { return f16_to_float(view.value<std::uint16_t>(row)); });
    else if (format == "f")
      fill_numbers(column, view.rows, [&](std::int64_t row) { return view.value<float>(row); });
    else if (format == "g")
      fill_numbers(column, view.rows, [&](std::int64_t row) { return view.value<double>(row); });
    else
      view.fail(0, fmt::format("values of Arrow's type {}; numbers, bools and texts can be read",
                               in_quotes(format)));
  }
  return column;
}

ArrowColumn read_dictionary(const ColumnView& view) {
  const ArrowArray& values = *view.array.dictionary;
  const ColumnView words{*view.schema.dictionary, values,        values.offset,
                         values.length,           view.file_row, view.file};
  words.refuse_nulls();
  ArrowColumn column = read_plain(words, view.schema.dictionary->format);
  if (!column.is_text) view.fail(0, "a dictionary of other things than texts");
  std::vector<std::int32_t> ids;
  for (std::int64_t row = 0; row < view.rows; ++row) {
    if (view.has_nulls() && view.is_null(row)) {
      ids.push_back(-1);
      continue;
    }
    const std::optional<std::int64_t> index = view.integer(view.schema.format[0], row);
    if (!index || *index < 0 || *index >= values.length)
      view.fail(row, "an index that its dictionary does not have");
    ids.push_back(column.text_ids[static_cast<std::size_t>(*index)]);
  }
  column.text_ids = std::move(ids);
  return column;
}

}  // namespace

struct ArrowBatches::State {
  // Releases what the C interfaces hand over.
  template <class T>
  struct Released : T {
    Released() : T{} {}
    explicit Released(const T& taken) : T(taken) {}
    ~Released() {
      if (this->release != nullptr) this->release(this);
    }
    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;
  };

  State(std::string n, const ArrowArrayStream& taken) : name(std::move(n)), stream(taken) {
    expect(stream.get_schema(&stream, &schema));
    require(std::string_view(schema.format) == "+s", "{}: not a table", name);
    for (std::int64_t i = 0; i < schema.n_children; ++i)
      columns.emplace_back(schema.children[i]->name);
  }

  void expect(int status) {
    if (status == 0) return;
    const char* reason = stream.get_last_error(&stream);
    throw UserError(
        fmt::format("{}: {}", name, reason != nullptr ? reason : std::strerror(status)));
  }

  std::string name;
  Released<ArrowArrayStream> stream;
  Released<ArrowSchema> schema;
  std::vector<std::string> columns;
  std::int64_t row = 0;  // of the next batch
};

ArrowBatches::ArrowBatches(std::string name, const ArrowArrayStream& stream)
    : state_(std::make_unique<State>(std::move(name), stream)) {}
ArrowBatches::~ArrowBatches() = default;
ArrowBatches::ArrowBatches(ArrowBatches&& other) noexcept = default;
ArrowBatches& ArrowBatches::operator=(ArrowBatches&& other) noexcept = default;

const std::string& ArrowBatches::name() const { return state_->name; }
const std::vector<std::string>& ArrowBatches::column_names() const { return state_->columns; }

std::optional<ArrowBatch> ArrowBatches::next(ArrowNulls nulls) {
  State::Released<ArrowArray> array;
  state_->expect(state_->stream.get_next(&state_->stream, &array));
  if (array.release == nullptr) return std::nullopt;
  require(array.n_children == state_->schema.n_children, "{}: a batch of {} columns; {} expected",
          state_->name, array.n_children, state_->schema.n_children);
  ArrowBatch batch{state_->row, array.length, {}};
  for (std::int64_t i = 0; i < array.n_children; ++i) {
    const ArrowSchema& schema = *state_->schema.children[i];
    const ArrowArray& child = *array.children[i];
    const ColumnView view{schema,     child,           child.offset + array.offset,
                          batch.rows, batch.first_row, state_->name};
    if (nulls == ArrowNulls::refuse) view.refuse_nulls();
    ArrowColumn column =
        schema.dictionary != nullptr ? read_dictionary(view) : read_plain(view, schema.format);
    column.missing = view.nulls();
    // What stands where a value is missing means nothing.
    for (const std::int64_t row : column.missing)
      if (!column.is_text)
        column.numbers[static_cast<std::size_t>(row)] = std::numeric_limits<double>::quiet_NaN();
    batch.columns.push_back(std::move(column));
  }
  state_->row += batch.rows;
  return batch;
}

}  // namespace tenon::io
