#include "tenon/data/tables.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/io/csv.h"
#include "tenon/io/npz.h"

namespace tenon::data {
namespace {

constexpr std::size_t kNoColumn = ~std::size_t{0};
constexpr std::int32_t kMostClasses = 1 << 20;
constexpr std::string_view kRegressionHelp =
    "\n  help: for numbers to predict, --task regression (CsvOptions::task in C++)";

class CsvDatasetBuilder {
 public:
  CsvDatasetBuilder(const std::filesystem::path& file, const CsvOptions& options)
      : file_(file.string()), options_(options), table_(io::read_csv(file, read_options(options))) {
    require(options.dtype == DType::f32 || options.dtype == DType::f64,
            "{}: features are read as f32 or f64, not {}", file_, options.dtype);
  }

  Dataset build() {
    const std::size_t weights = find_weights();
    const std::size_t label = find_label(weights);
    Dataset dataset = build_unweighted(label, weights);
    if (weights == kNoColumn) return dataset;
    require_numbers(table_.columns[weights], "sample weights");
    const std::vector<double>& values = table_.columns[weights].numbers;
    return dataset.with_weights(
        make_tensor<double>({table_.rows()}, std::span<const double>(values)));
  }

 private:
  Dataset build_unweighted(std::size_t label, std::size_t weights) {
    std::vector<std::size_t> features;
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      if (i != label && i != weights) features.push_back(i);
    require(!features.empty(), "{}: the only column {}; there are no features{}", file_,
            weights != kNoColumn                ? "beside the weights is the label"
            : options_.task == Task::unlabelled ? "is left out"
                                                : "is the label",
            separator_help());
    HostTensor x({options_.dtype, {table_.rows(), static_cast<std::int64_t>(features.size())}});
    for (std::size_t place = 0; place < features.size(); ++place)
      copy_numbers(table_.columns[features[place]], "features", x, place, features.size());
    if (options_.task == Task::unlabelled) return {file_, std::move(x)};
    const io::CsvColumn& column = table_.columns[label];
    if (options_.task == Task::regression) {
      HostTensor y({options_.dtype, {table_.rows()}});
      copy_numbers(column, "regression targets", y, 0, 1);
      return {file_, std::move(x), Array(std::move(y))};
    }
    HostTensor y = column.is_text ? text_classes(column) : integer_classes(column);
    return {file_, std::move(x), Array(std::move(y)), class_names_};
  }

  // A column that is left out may hold anything.
  static io::CsvOptions read_options(const CsvOptions& options) {
    io::CsvOptions reading;
    if (options.task == Task::unlabelled && !options.label.empty())
      reading.text_columns = {options.label};
    return reading;
  }

  // One column that holds what separates columns elsewhere.
  std::string separator_help() const {
    const io::CsvColumn& column = table_.columns[0];
    const std::string& text =
        table_.has_header || column.texts.empty() ? column.name : column.texts[0];
    for (const char separator : {';', '\t', '|'})
      if (text.find(separator) != std::string::npos)
        return fmt::format("\n  help: fields are separated by commas, and line {} holds {}",
                           table_.has_header ? 1 : table_.lines[0],
                           in_quotes(std::string_view(&separator, 1)));
    return "";
  }

  std::size_t find_weights() const {
    return options_.weights.empty() ? kNoColumn : find_column<WeightsError>(options_.weights);
  }

  std::size_t find_label(std::size_t weights) const {
    if (!options_.label.empty()) {
      const std::size_t label = find_column<LabelError>(options_.label);
      if (label == weights)
        throw WeightsError(fmt::format("{}: column {} is the label", file_,
                                       in_quotes(table_.columns[label].name)));
      return label;
    }
    if (options_.task == Task::unlabelled) return kNoColumn;
    const std::size_t last = table_.columns.size() - 1;
    if (weights != last) return last;
    return last > 0 ? last - 1 : kNoColumn;
  }

  // By name, or by number from 1.
  template <class Error>
  std::size_t find_column(const std::string& wanted) const {
    std::vector<std::string> names;
    for (const io::CsvColumn& column : table_.columns) names.push_back(column.name);
    const auto found = std::ranges::find(names, wanted);
    if (found != names.end()) {
      require(std::ranges::count(names, wanted) == 1, "{}: two columns are named {}", file_,
              in_quotes(wanted));
      return static_cast<std::size_t>(found - names.begin());
    }
    std::size_t number = 0;
    const char* end = wanted.data() + wanted.size();
    const auto [stop, error] = std::from_chars(wanted.data(), end, number);
    if (error == std::errc() && stop == end && number >= 1 && number <= names.size())
      return number - 1;
    const bool is_number = error == std::errc() && stop == end;
    throw Error(fmt::format("{}: no column is named {}{}", file_, in_quotes(wanted),
                            is_number ? fmt::format(", and there are {} columns", names.size())
                                      : did_you_mean(wanted, names)));
  }

  void require_numbers(const io::CsvColumn& column, const char* what) const {
    if (column.is_text)
      throw UserError(fmt::format(
          "{}: line {}: column {} holds text ({}); {} must be numbers{}", file_, table_.lines[0],
          in_quotes(column.name), in_quotes(column.texts[0]), what,
          options_.task == Task::unlabelled && options_.label.empty()
              ? fmt::format("\n  help: --label {} leaves it out (CsvOptions::label in C++)",
                            label_text(column))
              : ""));
  }

  void copy_numbers(const io::CsvColumn& column, const char* what, HostTensor& out,
                    std::size_t first, std::size_t stride) const {
    require_numbers(column, what);
    const double most = options_.dtype == DType::f32 ? std::numeric_limits<float>::max()
                                                     : std::numeric_limits<double>::max();
    for (std::size_t row = 0; row < column.numbers.size(); ++row) {
      const double value = column.numbers[row];
      if (std::abs(value) > most)
        throw UserError(fmt::format("{}: line {}: {} in column {} does not fit {}", file_,
                                    table_.lines[row], value, in_quotes(column.name),
                                    options_.dtype));
      if (options_.dtype == DType::f32)
        out.as<float>()[row * stride + first] = static_cast<float>(value);
      else
        out.as<double>()[row * stride + first] = value;
    }
  }

  // What --label takes for the column.
  std::string label_text(const io::CsvColumn& column) const {
    return table_.has_header ? column.name : fmt::format("{}", &column - table_.columns.data() + 1);
  }

  HostTensor integer_classes(const io::CsvColumn& column) {
    HostTensor y({DType::i32, {table_.rows()}});
    for (std::size_t row = 0; row < column.numbers.size(); ++row) {
      const double value = column.numbers[row];
      if (!column.is_integer && value != std::trunc(value))
        throw UserError(fmt::format("{}: line {}: the label {} is not an integer{}", file_,
                                    table_.lines[row], value, kRegressionHelp));
      if (value < 0 || value >= kMostClasses)
        throw UserError(
            fmt::format("{}: line {}: the label {} is not a class; classes are 0 to {}{}", file_,
                        table_.lines[row], value, kMostClasses - 1, kRegressionHelp));
      y.as<std::int32_t>()[row] = static_cast<std::int32_t>(value);
    }
    class_names_ = options_.class_names;
    return y;
  }

  // Names of classes are kept with a run.
  void require_utf8(const io::CsvColumn& column) const {
    for (std::size_t text = 0; text < column.texts.size(); ++text) {
      const std::string shown = well_formed_utf8(column.texts[text]);
      if (shown == column.texts[text]) continue;
      const auto row = std::ranges::find(column.text_ids, static_cast<std::int64_t>(text),
                                         [](auto id) { return static_cast<std::int64_t>(id); });
      throw UserError(fmt::format(
          "{}: line {}, column {}: the label {} is not UTF-8\n  help: iconv -f ISO-8859-1 -t UTF-8 "
          "makes it so, if the file is in Latin-1",
          file_, table_.lines[static_cast<std::size_t>(row - column.text_ids.begin())],
          in_quotes(column.name), in_quotes(shown)));
    }
  }

  HostTensor text_classes(const io::CsvColumn& column) {
    class_names_ = options_.class_names;
    if (class_names_.empty()) {
      require_utf8(column);
      class_names_ = column.texts;
      std::ranges::sort(class_names_);
      // Nearly as many classes as rows are names or numbers of the rows.
      constexpr std::size_t kManyClasses = 1000;
      require(
          class_names_.size() < kManyClasses || class_names_.size() * 2 < column.text_ids.size(),
          "{}: {} classes in {} rows; is the label another column? --label names it, and "
          "--task regression is for numbers",
          file_, class_names_.size(), column.text_ids.size());
    }
    std::unordered_map<std::string_view, std::int32_t> class_of;
    for (const std::string& name : class_names_)
      class_of.try_emplace(name, static_cast<std::int32_t>(class_of.size()));
    std::vector<std::int32_t> classes;  // of each different text
    for (const std::string& text : column.texts) {
      const auto found = class_of.find(text);
      classes.push_back(found == class_of.end() ? -1 : found->second);
    }
    HostTensor y({DType::i32, {table_.rows()}});
    for (std::size_t row = 0; row < column.text_ids.size(); ++row) {
      const auto text = static_cast<std::size_t>(column.text_ids[row]);
      if (classes[text] < 0)
        throw UserError(fmt::format("{}: line {}: the label {} is none of the {} known classes{}",
                                    file_, table_.lines[row], in_quotes(column.texts[text]),
                                    class_names_.size(),
                                    did_you_mean(column.texts[text], class_names_)));
      y.as<std::int32_t>()[row] = classes[text];
    }
    return y;
  }

  std::string file_;
  const CsvOptions& options_;
  io::CsvTable table_;
  std::vector<std::string> class_names_;
};

// Of each row's numbers, of a float type.
void require_finite(const std::string& file, const char* name, const HostTensor& array) {
  if (!is_float(array.dtype())) return;
  const std::int64_t rows = std::max<std::int64_t>(array.shape().front(), 1);
  with_element_type(array.dtype(), [&]<class T>(TypeTag<T>) {
    const std::span<const T> values = array.as<T>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto value = convert_element<double>(values[i]);
      if (!std::isfinite(value)) [[unlikely]] {
        const std::int64_t width = array.size() / rows, place = static_cast<std::int64_t>(i);
        throw UserError(
            fmt::format("{}: {}: row {}: number {} is {}; only finite numbers can be "
                        "trained with",
                        file, name, place / width, place % width, value));
      }
    }
  });
}

}  // namespace

Dataset csv(const std::filesystem::path& file, const CsvOptions& options) {
  return CsvDatasetBuilder(file, options).build();
}

Dataset npz(const std::filesystem::path& file, const std::string& weights) {
  io::NamedTensors arrays = io::read_npz(file);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : arrays) names.push_back(in_quotes(name));
  for (const char* name : {"x", "y"})
    require(arrays.contains(name), "{}: no array named \"{}\"; there are: {}", file.string(), name,
            names.empty() ? "none" : join(names, ", "));
  if (!weights.empty() && !arrays.contains(weights))
    throw WeightsError(fmt::format("{}: no array named {}; there are: {}", file.string(),
                                   in_quotes(weights), join(names, ", ")));
  for (const char* name : {"x", "y"})
    require(arrays.at(name).type().rank() > 0,
            "{}: {} is {}; an array needs a first axis that counts the samples", file.string(),
            name, arrays.at(name).type());
  for (const char* name : {"x", "y"}) require_finite(file.string(), name, arrays.at(name));
  const HostTensor of_samples = weights.empty() ? HostTensor() : arrays.at(weights);
  Dataset dataset(file.string(), std::move(arrays.at("x")), Array(std::move(arrays.at("y"))));
  return weights.empty() ? dataset : dataset.with_weights(of_samples);
}

}  // namespace tenon::data
