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
  const auto named = std::ranges::find(columns, options.label);
  if (named != columns.end()) return static_cast<std::size_t>(named - columns.begin());
  std::size_t number = 0;
  const char* end = options.label.data() + options.label.size();
  const auto [stop, error] = std::from_chars(options.label.data(), end, number);
  if (error == std::errc() && stop == end && number >= 1 && number <= columns.size())
    return number - 1;
  throw LabelError(fmt::format("{}: no column {}, only {}{}", name, in_quotes(options.label),
                               join(columns, ", "), did_you_mean(options.label, columns)));
}

[[noreturn]] void refuse_cell(const std::string& name, const io::ArrowBatch& batch, std::size_t row,
                              const std::string& column, const std::string& reason) {
  throw UserError(fmt::format("{}: row {}, column {}: {}", name,
                              batch.first_row + static_cast<std::int64_t>(row), in_quotes(column),
                              reason));
}

// Writes the column to every `stride`-th element of `out`.
template <class T>
void write_numbers(const io::ArrowBatch& batch, const io::ArrowColumn& column,
                   const std::string& name, const std::string& column_name, T* out,
                   std::size_t stride) {
  if (column.is_text)
    refuse_cell(name, batch, 0, column_name, "text; features and targets are numbers");
  for (std::size_t row = 0; row < column.numbers.size(); ++row) {
    const double value = column.numbers[row];
    if (!std::isfinite(value))
      refuse_cell(name, batch, row, column_name, fmt::format("{} is not a finite number", value));
    if (std::abs(value) > static_cast<double>(std::numeric_limits<T>::max()))
      refuse_cell(name, batch, row, column_name,
                  fmt::format("{} does not fit {}", value, *kDTypeOf<T>));
    out[row * stride] = static_cast<T>(value);
  }
}

HostTensor arrow_classes(const io::ArrowBatch& batch, const io::ArrowColumn& column,
                         const std::string& name, const std::string& column_name,
                         const Names& class_names) {
  HostTensor classes({DType::i32, {batch.rows}});
  const std::span<std::int32_t> out = classes.as<std::int32_t>();
  if (column.is_text) {
    std::vector<std::int32_t> ids;
    for (const std::string& text : column.texts) {
      const auto found = std::ranges::find(class_names, text);
      ids.push_back(
          found == class_names.end() ? -1 : static_cast<std::int32_t>(found - class_names.begin()));
    }
    for (std::size_t row = 0; row < out.size(); ++row) {
      const auto text = static_cast<std::size_t>(column.text_ids[row]);
      out[row] = ids[text];
      if (out[row] < 0)
        refuse_cell(name, batch, row, column_name,
                    fmt::format("{} is none of the {} classes{}", in_quotes(column.texts[text]),
                                class_names.size(), did_you_mean(column.texts[text], class_names)));
    }
    return classes;
  }
  constexpr double kMostClass = std::numeric_limits<std::int32_t>::max() - 1;
  for (std::size_t row = 0; row < out.size(); ++row) {
    const double value = column.numbers[row];
    if (!(value >= 0 && value <= kMostClass && value == std::floor(value)))
      refuse_cell(name, batch, row, column_name,
                  fmt::format("{} is no class; whole numbers from 0 on, or text, expected", value));
    out[row] = static_cast<std::int32_t>(value);
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
  while (const std::optional<io::ArrowBatch> batch = batches.next())
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
  if (!label) return options;
  options.label = batches.column_names()[*label];
  if (options.task == Task::classification && options.class_names.empty())
    options.class_names = names_in_labels(file, kind, options.label);
  return options;
}

}  // namespace

Dataset arrow_rows_of(const io::ArrowBatch& batch, const std::string& name, const Names& columns,
                      const CsvOptions& options) {
  const std::optional<std::size_t> label = arrow_label(columns, options, name);
  require(is_float(options.dtype) && !is_narrow_float(options.dtype),
          "{}: features are f32 or f64, not {}", name, options.dtype);
  const std::size_t features = columns.size() - (label ? 1 : 0);
  const TensorType type{options.dtype, {batch.rows, static_cast<std::int64_t>(features)}};
  HostTensor x(type);
  std::optional<Array> y;
  const auto write = [&](const io::ArrowColumn& column, std::size_t i, HostTensor& out,
                         std::size_t place, std::size_t stride) {
    if (options.dtype == DType::f64)
      write_numbers(batch, column, name, columns[i], out.as<double>().data() + place, stride);
    else
      write_numbers(batch, column, name, columns[i], out.as<float>().data() + place, stride);
  };
  std::size_t feature = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i != label) {
      write(batch.columns[i], i, x, feature++, features);
    } else if (options.task == Task::classification) {
      y = Array(arrow_classes(batch, batch.columns[i], name, columns[i], options.class_names));
    } else if (options.task == Task::regression) {
      HostTensor targets({options.dtype, {batch.rows}});
      write(batch.columns[i], i, targets, 0, 1);
      y = Array(std::move(targets));
    }
  }
  return {name, std::move(x), std::move(y)};
}

TableStream arrow_rows(const std::filesystem::path& file, io::ArrowKind kind,
                       const CsvOptions& options) {
  const CsvOptions all = resolved(file, kind, options);
  Pipeline rows([file, kind, all](std::uint64_t epoch) -> Pass {
    const auto batches = std::make_shared<io::ArrowBatches>(io::ArrowBatches::open(file, kind));
    return [batches, all, epoch, rows = std::shared_ptr<const Dataset>(), next = std::int64_t{0},
            first = std::int64_t{0}]() mutable -> std::optional<LazySample> {
      while (rows == nullptr || next == rows->size()) {
        const std::optional<io::ArrowBatch> batch = batches->next();
        if (!batch) return std::nullopt;
        rows = std::make_shared<const Dataset>(
            arrow_rows_of(*batch, batches->name(), batches->column_names(), all));
        first = batch->first_row;
        next = 0;
      }
      const std::int64_t row = next++;
      return LazySample{{epoch, first + row}, {rows, row}};
    };
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
