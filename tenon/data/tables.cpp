#include "tenon/data/tables.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <unordered_map>

#include "tenon/base/text.h"
#include "tenon/data/finite.h"
#include "tenon/data/text_unicode.h"
#include "tenon/io/csv.h"
#include "tenon/io/npz.h"

namespace tenon::data {
namespace {

constexpr std::size_t kNoColumn = ~std::size_t{0};
constexpr std::string_view kFeatures = "features";
constexpr std::string_view kRegressionHelp =
    "\n  help: for numbers to predict, --task regression (CsvOptions::task in C++)";

class CsvDatasetBuilder {
 public:
  CsvDatasetBuilder(const std::filesystem::path& file, const CsvOptions& options,
                    const std::optional<BadSamples>& bad)
      : file_(file.string()),
        options_(options),
        bad_(bad),
        table_(io::read_csv(file, read_options(options, bad))),
        is_bad_(bad ? static_cast<std::size_t>(table_.rows()) : 0) {
    require(options.dtype == DType::f32 || options.dtype == DType::f64,
            "{}: features are read as f32 or f64, not {}", file_, options.dtype);
  }

  NamedColumns build() {
    const std::size_t weights = find_weights();
    const std::size_t label = label_ = find_label(weights);
    const std::vector<std::size_t> features = find_features(label, weights);
    Dataset dataset = build_unweighted(label, features);
    if (weights != kNoColumn) {
      require_numbers(table_.columns[weights], "sample weights");
      const std::vector<double>& values = table_.columns[weights].numbers;
      dataset = dataset.with_weights(
          make_tensor<double>({table_.rows()}, std::span<const double>(values)));
    }
    NamedColumns result{good_rows(dataset), names_of(label, features)};
    const bool asks = options_.task == Task::classification && !options_.are_classes;
    if (asks && options_.class_names.empty()) require_likely_classes(result.rows);
    return result;
  }

 private:
  // The row is left out, if bad ones are, else an error.
  void refuse_row(std::size_t row, const std::string& message) {
    if (!bad_) throw UserError(message);
    if (first_reason_.empty()) first_reason_ = message;
    if (!is_bad_[row]) bad_->add(message.substr(0, message.find('\n')));
    is_bad_[row] = true;
  }

  Dataset good_rows(const Dataset& dataset) const {
    std::vector<std::int64_t> good;
    for (std::size_t row = 0; row < is_bad_.size(); ++row)
      if (!is_bad_[row]) good.push_back(static_cast<std::int64_t>(row));
    if (good.size() == is_bad_.size()) return dataset;
    require(!good.empty(), "{}: none of its {} rows can be used; of the first one: {}", file_,
            is_bad_.size(), first_reason_);
    return dataset.gathered(good);
  }

  std::vector<std::size_t> find_features(std::size_t label, std::size_t weights) const {
    std::vector<std::size_t> features;
    if (table_.has_header && !options_.features.empty()) {
      for (const std::string& name : options_.features) features.push_back(find_feature(name));
      return features;
    }
    std::vector<bool> is_other(table_.columns.size());
    for (const std::string& name : options_.ignored)
      is_other[find_column_or_refuse<IgnoredError>(name)] = true;
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      if (i != label && i != weights && !is_other[i]) features.push_back(i);
    if (features.empty() && !options_.ignored.empty())
      throw IgnoredError(fmt::format("{}: all columns are left out; there are no features", file_));
    require(!features.empty(), "{}: the only column {}; there are no features{}", file_,
            weights != kNoColumn                ? "beside the weights is the label"
            : options_.task == Task::unlabelled ? "is left out"
                                                : "is the label",
            separator_help());
    return features;
  }

  std::size_t find_feature(const std::string& name) const {
    const std::vector<std::string> names = column_names();
    const auto found = std::ranges::find(names, name);
    require(found != names.end(), "{}: no column is named {}, which the model takes{}", file_,
            in_quotes(name), did_you_mean(name, names));
    require(std::ranges::count(names, name) == 1, "{}: two columns are named {}", file_,
            in_quotes(name));
    return static_cast<std::size_t>(found - names.begin());
  }

  TableColumns names_of(std::size_t label, const std::vector<std::size_t>& features) const {
    if (!table_.has_header) return {};
    TableColumns columns;
    for (const std::size_t place : features) columns.features.push_back(table_.columns[place].name);
    std::vector<std::string> kept = columns.features;
    if (label != kNoColumn && options_.task != Task::unlabelled) {
      columns.label = table_.columns[label].name;
      kept.push_back(columns.label);
    }
    return are_keys(kept) ? columns : TableColumns();
  }

  Dataset build_unweighted(std::size_t label, const std::vector<std::size_t>& features) {
    HostTensor x({options_.dtype, {table_.rows(), static_cast<std::int64_t>(features.size())}});
    for (std::size_t place = 0; place < features.size(); ++place)
      copy_numbers(table_.columns[features[place]], kFeatures, x, place, features.size());
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
  static io::CsvOptions read_options(const CsvOptions& options,
                                     const std::optional<BadSamples>& bad) {
    io::CsvOptions reading;
    if (bad)
      reading.bad_record = [bad](const std::string& message) {
        bad->add(message.substr(0, message.find('\n')));  // without its help
      };
    reading.separator = options.separator;
    if (!bad)
      reading.number_help =
          "\n  help: --ignore-columns NAME leaves a column out (CsvOptions::ignored in C++), "
          "--bad-samples skip leaves such rows out";
    reading.text_columns = options.ignored;
    if (!options.features.empty()) {
      reading.used_columns = options.features;
      for (const std::string& other : {options.label, options.weights})
        if (!other.empty()) reading.used_columns.push_back(other);
    }
    if (options.task == Task::unlabelled && !options.label.empty())
      reading.text_columns.push_back(options.label);
    return reading;
  }

  // One column that holds what separates columns elsewhere.
  std::string separator_help() const {
    const io::CsvColumn& column = table_.columns[0];
    const std::string& text =
        table_.has_header || column.texts.empty() ? column.name : column.texts[0];
    for (const char separator : {';', '\t', '|'})
      if (text.find(separator) != std::string::npos)
        return fmt::format("\n  help: fields are separated by commas, and line {} holds {}{}",
                           table_.has_header ? 1 : table_.lines[0],
                           in_quotes(std::string_view(&separator, 1)),
                           separator == '|' ? "" : "; --delimiter says what separates them");
    return "";
  }

  std::size_t find_weights() const {
    return options_.weights.empty() ? kNoColumn
                                    : find_column_or_refuse<WeightsError>(options_.weights);
  }

  std::size_t find_label(std::size_t weights) const {
    // A name that a run remembers says nothing of a file without names.
    const bool is_remembered = !table_.has_header && !options_.features.empty() &&
                               options_.label.find_first_not_of("0123456789") != std::string::npos;
    if (!options_.label.empty() && !is_remembered) {
      const std::size_t label = find_column_or_refuse<LabelError>(options_.label);
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

  std::vector<std::string> column_names() const {
    std::vector<std::string> names;
    for (const io::CsvColumn& column : table_.columns) names.push_back(column.name);
    return names;
  }

  // By name, or by number from 1.
  template <class Error>
  std::size_t find_column_or_refuse(const std::string& wanted) const {
    const std::vector<std::string> names = column_names();
    require(std::ranges::count(names, wanted) <= 1, "{}: two columns are named {}", file_,
            in_quotes(wanted));
    if (const std::optional<std::size_t> found = find_column(names, wanted)) return *found;
    throw Error(fmt::format("{}: no column is named {}{}", file_, in_quotes(wanted),
                            column_number(wanted)
                                ? fmt::format(", and there are {} columns", names.size())
                                : did_you_mean(wanted, names)));
  }

  void require_numbers(const io::CsvColumn& column, std::string_view what) const {
    if (column.is_text)
      throw UserError(fmt::format(
          "{}: line {}: column {} holds text ({}); {} must be numbers{}{}", file_, table_.lines[0],
          in_quotes(column.name), in_quotes(column.texts[0]), what,
          what == kFeatures && label_ != kNoColumn
              ? fmt::format(" (the label is column {})", in_quotes(table_.columns[label_].name))
              : "",
          what != kFeatures ? ""
          : options_.task == Task::unlabelled && options_.label.empty()
              ? fmt::format("\n  help: --label {} leaves it out (CsvOptions::label in C++)",
                            label_text(column))
              : fmt::format("\n  help: --ignore-columns {} leaves it out (CsvOptions::ignored in "
                            "C++)",
                            label_text(column))));
  }

  // 1 for true and 0 for false; none if the column holds anything else.
  static std::optional<io::CsvColumn> truths_as_numbers(const io::CsvColumn& column) {
    if (!column.is_text) return std::nullopt;
    std::vector<double> values;  // of each different text
    for (const std::string& text : column.texts) {
      std::string lower = text;
      for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      if (lower != "true" && lower != "false") return std::nullopt;
      values.push_back(lower == "true" ? 1 : 0);
    }
    io::CsvColumn numbers;
    numbers.name = column.name;
    numbers.is_integer = true;
    for (const std::int32_t id : column.text_ids)
      numbers.numbers.push_back(values[static_cast<std::size_t>(id)]);
    return numbers;
  }

  void copy_numbers(const io::CsvColumn& as_read, std::string_view what, HostTensor& out,
                    std::size_t first, std::size_t stride) {
    const std::optional<io::CsvColumn> truths = truths_as_numbers(as_read);
    const io::CsvColumn& column = truths ? *truths : as_read;
    require_numbers(column, what);
    const double most = options_.dtype == DType::f32 ? std::numeric_limits<float>::max()
                                                     : std::numeric_limits<double>::max();
    for (std::size_t row = 0; row < column.numbers.size(); ++row) {
      const double value = column.numbers[row];
      if (std::abs(value) > most)
        refuse_row(row,
                   fmt::format("{}: line {}: {} in column {} does not fit {}", file_,
                               table_.lines[row], value, in_quotes(column.name), options_.dtype));
      else if (options_.dtype == DType::f32)
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
        refuse_row(row, fmt::format("{}: line {}: the label {} is not an integer{}", file_,
                                    table_.lines[row], value, kRegressionHelp));
      else if (value < 0 || value >= kLargestClassCount)
        refuse_row(
            row,
            fmt::format("{}: line {}: the label {} is not a class; classes are 0 to {}{}", file_,
                        table_.lines[row], value, kLargestClassCount - 1, kRegressionHelp));
      else
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
      require(options_.are_classes || class_names_.size() < kManyClasses ||
                  class_names_.size() * 2 < column.text_ids.size(),
              "{}: {} classes in {} rows; is the label another column? --label names it, --task "
              "regression is for numbers, --task classification for so many classes",
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
        refuse_row(
            row, fmt::format("{}: line {}: the label {} is none of the {} known classes{}", file_,
                             table_.lines[row], in_quotes(column.texts[text]), class_names_.size(),
                             did_you_mean(column.texts[text], class_names_)));
      else
        y.as<std::int32_t>()[row] = classes[text];
    }
    return y;
  }

  std::string file_;
  const CsvOptions& options_;
  const std::optional<BadSamples>& bad_;
  io::CsvTable table_;
  std::size_t label_ = kNoColumn;
  std::vector<bool> is_bad_;  // of each row, if bad ones are left out
  std::string first_reason_;
  std::vector<std::string> class_names_;
};

}  // namespace

Dataset csv(const std::filesystem::path& file, const CsvOptions& options,
            const std::optional<BadSamples>& bad) {
  return CsvDatasetBuilder(file, options, bad).build().rows;
}

NamedColumns csv_with_columns(const std::filesystem::path& file, const CsvOptions& options,
                              const std::optional<BadSamples>& bad) {
  return CsvDatasetBuilder(file, options, bad).build();
}

void require_likely_classes(const Dataset& dataset) {
  constexpr std::int64_t kFewClasses = 32;
  if (!dataset.has_classes() || !dataset.class_names().empty()) return;
  if (dataset.class_count() <= kFewClasses || !dataset.y().row_shape().empty()) return;
  const HostTensor labels = dataset.y().tensor();
  const auto values = labels.as<std::int32_t>();
  const auto different =
      static_cast<std::int64_t>(std::set<std::int32_t>(values.begin(), values.end()).size());
  constexpr std::int64_t kFarMore = 10;
  require(dataset.class_count() / kFarMore < different && different * 2 <= dataset.size(),
          "{}: {} classes in {} rows; --task regression, or --task classification if they are "
          "classes (CsvOptions::task and are_classes in C++)",
          dataset.name(), dataset.class_count(), dataset.size());
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
  for (const char* name : {"x", "y"})
    require_finite_rows(arrays.at(name), fmt::format("{}: {}", file.string(), name), "row");
  const HostTensor of_samples = weights.empty() ? HostTensor() : arrays.at(weights);
  Dataset dataset(file.string(), std::move(arrays.at("x")), Array(std::move(arrays.at("y"))));
  return weights.empty() ? dataset : dataset.with_weights(of_samples);
}

}  // namespace tenon::data
