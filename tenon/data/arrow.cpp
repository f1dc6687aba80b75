#include "tenon/data/arrow.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "tenon/base/text.h"
#include "tenon/data/text.h"
#include "tenon/data/text_unicode.h"

namespace tenon::data {
namespace {

using Names = std::vector<std::string>;

// The label's column; none if the task has none.
std::optional<std::size_t> arrow_label(const Names& columns, const CsvOptions& options,
                                       const std::string& name) {
  require(!columns.empty(), "{}: the table has no columns", name);
  if (options.label.empty()) {
    if (options.task == Task::unlabelled) return std::nullopt;
    return columns.size() - 1;
  }
  if (const auto found = find_column(columns, options.label)) return found;
  throw LabelError(fmt::format("{}: no column {}, only {}{}", name, in_quotes(options.label),
                               join(columns, ", "), did_you_mean(options.label, columns)));
}

// The column of each feature, in their order.
std::vector<std::size_t> arrow_features(const Names& columns, const CsvOptions& options,
                                        std::optional<std::size_t> label, const std::string& name) {
  std::vector<std::size_t> features;
  for (const std::string& feature : options.features) {
    const auto found = std::ranges::find(columns, feature);
    require(found != columns.end(), "{}: no column is named {}, which the model takes{}", name,
            in_quotes(feature), did_you_mean(feature, columns));
    features.push_back(static_cast<std::size_t>(found - columns.begin()));
  }
  if (!features.empty()) return features;
  std::vector<bool> is_other(columns.size());
  if (label) is_other[*label] = true;
  for (const std::string& ignored : options.ignored) {
    const auto found = find_column(columns, ignored);
    if (!found)
      throw IgnoredError(fmt::format("{}: no column {}, only {}{}", name, in_quotes(ignored),
                                     join(columns, ", "), did_you_mean(ignored, columns)));
    is_other[*found] = true;
  }
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!is_other[i]) features.push_back(i);
  return features;
}

[[noreturn]] void refuse_cell(const std::string& name, const io::ArrowBatch& batch, std::size_t row,
                              const std::string& column, const std::string& reason) {
  throw UserError(fmt::format("{}: row {}, column {}: {}", name,
                              batch.first_row + static_cast<std::int64_t>(row), in_quotes(column),
                              reason));
}

// The cells of a column, and what is to be done at one that cannot be used: it is refused, or, if
// `bad` is there, its row is marked and the cell left as it is.
struct ArrowCells {
  const io::ArrowBatch& batch;
  const io::ArrowColumn& column;
  const std::string& file;
  const std::string& name;  // of the column
  std::vector<bool>* bad;   // of each row

  template <class... Args>
  void refuse(std::size_t row, fmt::format_string<Args...> reason, Args&&... args) const {
    if (bad == nullptr)
      refuse_cell(file, batch, row, name, fmt::format(reason, std::forward<Args>(args)...));
    (*bad)[row] = true;
  }
  void refuse_missing() const {
    for (const std::int64_t row : column.missing)
      refuse(static_cast<std::size_t>(row), "{}", io::kNoArrowValue);
  }
};

// Writes the column to every `stride`-th element of `out`.
template <class T>
void write_numbers(const ArrowCells& cells, T* out, std::size_t stride) {
  // All rows are alike in this, so none is left out.
  if (cells.column.is_text)
    refuse_cell(cells.file, cells.batch, 0, cells.name, "text; features and targets are numbers");
  cells.refuse_missing();
  for (std::size_t row = 0; row < cells.column.numbers.size(); ++row) {
    const double value = cells.column.numbers[row];
    if (!std::isfinite(value))
      cells.refuse(row, "{} is not a finite number", value);
    else if (std::abs(value) > static_cast<double>(std::numeric_limits<T>::max()))
      cells.refuse(row, "{} does not fit {}", value, *kDTypeOf<T>);
    else
      out[row * stride] = static_cast<T>(value);
  }
}

HostTensor arrow_classes(const ArrowCells& cells, const Names& class_names) {
  const io::ArrowColumn& column = cells.column;
  HostTensor classes({DType::i32, {cells.batch.rows}});
  const std::span<std::int32_t> out = classes.as<std::int32_t>();
  cells.refuse_missing();
  if (column.is_text) {
    std::vector<std::int32_t> ids;
    for (const std::string& text : column.texts) {
      const auto found = std::ranges::find(class_names, text);
      ids.push_back(
          found == class_names.end() ? -1 : static_cast<std::int32_t>(found - class_names.begin()));
    }
    for (std::size_t row = 0; row < out.size(); ++row) {
      if (column.text_ids[row] < 0) continue;  // missing
      const auto text = static_cast<std::size_t>(column.text_ids[row]);
      if (ids[text] < 0)
        cells.refuse(row, "{} is none of the {} classes{}", in_quotes(column.texts[text]),
                     class_names.size(), did_you_mean(column.texts[text], class_names));
      else
        out[row] = ids[text];
    }
    return classes;
  }
  constexpr double kMostClass = std::numeric_limits<std::int32_t>::max() - 1;
  for (std::size_t row = 0; row < out.size(); ++row) {
    const double value = column.numbers[row];
    if (value >= 0 && value <= kMostClass && value == std::floor(value))
      out[row] = static_cast<std::int32_t>(value);
    else
      cells.refuse(row, "{} is no class; whole numbers from 0 on, or text, expected", value);
  }
  return classes;
}

// The different texts of the label's column, sorted; none if it holds numbers.
Names names_in_labels(const std::filesystem::path& file, io::ArrowKind kind,
                      const std::string& column) {
  io::ArrowBatches batches = io::ArrowBatches::open(file, kind, column);
  std::set<std::string> names;
  const auto place = std::ranges::find(batches.column_names(), column);
  const auto index = static_cast<std::size_t>(place - batches.column_names().begin());
  while (const std::optional<io::ArrowBatch> batch = batches.next(io::ArrowNulls::keep))
    names.insert(batch->columns[index].texts.begin(), batch->columns[index].texts.end());
  // Names of classes are kept with a run.
  for (const std::string& text : names)
    split_characters(text, fmt::format("{}: column {}: {}", batches.name(), in_quotes(column),
                                       in_quotes(well_formed_utf8(text))));
  return {names.begin(), names.end()};
}

// The options with the label's column and, of classes, their names.
CsvOptions resolved(const std::filesystem::path& file, io::ArrowKind kind, CsvOptions options) {
  const io::ArrowBatches batches = io::ArrowBatches::open(file, kind);
  const auto label = arrow_label(batches.column_names(), options, batches.name());
  arrow_features(batches.column_names(), options, label, batches.name());  // are there
  if (!label) return options;
  options.label = batches.column_names()[*label];
  if (options.task == Task::classification && options.class_names.empty())
    options.class_names = names_in_labels(file, kind, options.label);
  return options;
}

// Rows that `bad` marks hold zeros where their cells cannot be used; without it, those are refused.
Dataset rows_of_batch(const io::ArrowBatch& batch, const std::string& name, const Names& columns,
                      const CsvOptions& options, std::vector<bool>* bad) {
  const std::optional<std::size_t> label = arrow_label(columns, options, name);
  require(is_float(options.dtype) && !is_narrow_float(options.dtype),
          "{}: features are f32 or f64, not {}", name, options.dtype);
  const std::vector<std::size_t> features = arrow_features(columns, options, label, name);
  const TensorType type{options.dtype, {batch.rows, static_cast<std::int64_t>(features.size())}};
  HostTensor x(type);
  std::optional<Array> y;
  const auto write = [&](const ArrowCells& cells, HostTensor& out, std::size_t place,
                         std::size_t stride) {
    if (options.dtype == DType::f64)
      write_numbers(cells, out.as<double>().data() + place, stride);
    else
      write_numbers(cells, out.as<float>().data() + place, stride);
  };
  if (label && options.task != Task::unlabelled) {
    const ArrowCells cells{batch, batch.columns[*label], name, columns[*label], bad};
    if (options.task == Task::classification) {
      y = Array(arrow_classes(cells, options.class_names));
    } else {
      HostTensor targets({options.dtype, {batch.rows}});
      write(cells, targets, 0, 1);
      y = Array(std::move(targets));
    }
  }
  for (std::size_t place = 0; place < features.size(); ++place) {
    const std::size_t i = features[place];
    write({batch, batch.columns[i], name, columns[i], bad}, x, place, features.size());
  }
  return {name, std::move(x), std::move(y)};
}

// The row alone.
io::ArrowBatch row_of_batch(const io::ArrowBatch& batch, std::int64_t row) {
  const auto place = static_cast<std::size_t>(row);
  io::ArrowBatch one{batch.first_row + row, 1, {}};
  for (const io::ArrowColumn& column : batch.columns) {
    io::ArrowColumn cell{.is_text = column.is_text, .is_whole = column.is_whole};
    if (std::ranges::binary_search(column.missing, row)) cell.missing = {0};
    if (!column.is_text) {
      cell.numbers = {column.numbers[place]};
    } else if (const std::int32_t text = column.text_ids[place]; text >= 0) {
      cell.text_ids = {0};
      cell.texts = {column.texts[static_cast<std::size_t>(text)]};
    } else {
      cell.text_ids = {-1};
    }
    one.columns.push_back(std::move(cell));
  }
  return one;
}

// The rows of one batch after the other: those that can be used as rows of a dataset, the others as
// samples that say in their turn why they cannot.
class ArrowPass {
 public:
  ArrowPass(const std::filesystem::path& file, io::ArrowKind kind, const CsvOptions& options)
      : batches_(io::ArrowBatches::open(file, kind)),
        table_(std::make_shared<const Table>(
            Table{batches_.name(), batches_.column_names(), options})) {}

  std::optional<LazySample> next(std::uint64_t epoch) {
    while (rows_ == nullptr || next_ == rows_->size())
      if (!open_batch()) return std::nullopt;
    const std::int64_t row = next_++;
    const SamplePlace place{epoch, first_ + row};
    if (!bad_[static_cast<std::size_t>(row)]) return LazySample{place, {rows_, row}};
    return LazySample{place, [batch = batch_, table = table_, row]() -> std::optional<Sample> {
                        const Dataset one = rows_of_batch(row_of_batch(*batch, row), table->name,
                                                          table->columns, table->options, nullptr);
                        return Pipeline::from(one).samples()();
                      }};
  }

 private:
  struct Table {
    std::string name;
    Names columns;
    CsvOptions options;
  };

  bool open_batch() {
    std::optional<io::ArrowBatch> batch = batches_.next(io::ArrowNulls::keep);
    if (!batch) return false;
    bad_.assign(static_cast<std::size_t>(batch->rows), false);
    rows_ = std::make_shared<const Dataset>(
        rows_of_batch(*batch, table_->name, table_->columns, table_->options, &bad_));
    first_ = batch->first_row;
    next_ = 0;
    batch_.reset();
    if (std::ranges::find(bad_, true) != bad_.end())
      batch_ = std::make_shared<const io::ArrowBatch>(*std::move(batch));
    return true;
  }

  io::ArrowBatches batches_;
  std::shared_ptr<const Table> table_;
  std::shared_ptr<const Dataset> rows_;
  std::shared_ptr<const io::ArrowBatch> batch_;  // if it has bad rows
  std::vector<bool> bad_;
  std::int64_t first_ = 0, next_ = 0;
};

}  // namespace

Dataset arrow_rows_of(const io::ArrowBatch& batch, const std::string& name, const Names& columns,
                      const CsvOptions& options) {
  return rows_of_batch(batch, name, columns, options, nullptr);
}

TableColumns arrow_columns(const std::filesystem::path& file, io::ArrowKind kind,
                           const CsvOptions& options) {
  const io::ArrowBatches batches = io::ArrowBatches::open(file, kind);
  const Names& names = batches.column_names();
  const auto label = arrow_label(names, options, batches.name());
  TableColumns columns;
  for (const std::size_t place : arrow_features(names, options, label, batches.name()))
    columns.features.push_back(names[place]);
  if (label && options.task != Task::unlabelled) columns.label = names[*label];
  return are_keys(names) ? columns : TableColumns();
}

TableStream arrow_rows(const std::filesystem::path& file, io::ArrowKind kind,
                       const CsvOptions& options) {
  const CsvOptions all = resolved(file, kind, options);
  Pipeline rows([file, kind, all](std::uint64_t epoch) -> Pass {
    return
        [rows = std::make_shared<ArrowPass>(file, kind, all), epoch] { return rows->next(epoch); };
  });
  return {std::move(rows), all.class_names};
}

Dataset arrow_table(const std::filesystem::path& file, io::ArrowKind kind,
                    const CsvOptions& options) {
  const CsvOptions all = resolved(file, kind, options);
  io::ArrowBatches batches = io::ArrowBatches::open(file, kind);
  std::vector<Dataset> parts;
  std::int64_t count = 0;
  while (const std::optional<io::ArrowBatch> batch = batches.next()) {
    parts.push_back(arrow_rows_of(*batch, batches.name(), batches.column_names(), all));
    count += batch->rows;
  }
  require(count > 0, "{}: the table has no rows", batches.name());
  const auto joined = [&](const auto& array_of) {
    TensorType type = array_of(parts.front()).type();
    type.shape.front() = count;
    HostTensor tensor(std::move(type));
    std::byte* out = tensor.bytes().data();
    for (const Dataset& part : parts) {
      const Array& rows = array_of(part);
      const std::size_t bytes = static_cast<std::size_t>(rows.size()) * rows.row_bytes();
      if (bytes > 0) std::memcpy(out, rows.data(), bytes);
      out += bytes;
    }
    return Array(std::move(tensor));
  };
  std::optional<Array> y;
  if (parts.front().has_y())
    y = joined([](const Dataset& part) -> const Array& { return part.y(); });
  return {batches.name(), joined([](const Dataset& part) -> const Array& { return part.x(); }),
          std::move(y), all.class_names};
}

}  // namespace tenon::data
