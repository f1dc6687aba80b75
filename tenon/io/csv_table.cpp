#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <unordered_map>

#include "tenon/base/text.h"
#include "tenon/io/csv.h"
#include "tenon/io/gzip.h"

namespace tenon::io {
namespace {

enum class NumberKind { none, integer, real, too_large, not_finite };

struct ParsedNumber {
  NumberKind kind = NumberKind::none;
  double value = 0;
};

ParsedNumber parse_number(std::string_view text) {
  text = trim(text);
  ParsedNumber parsed;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, parsed.value);
  if (error == std::errc::invalid_argument || stop != end) return parsed;
  constexpr double kExactBelow = 9007199254740992;  // 2^53: each integer below is exact
  if (error == std::errc::result_out_of_range) {
    parsed.kind = NumberKind::too_large;
  } else if (!std::isfinite(parsed.value)) {
    parsed.kind = NumberKind::not_finite;
  } else {
    const bool whole = text.find_first_not_of("-0123456789") == std::string_view::npos;
    parsed.kind =
        whole && std::abs(parsed.value) < kExactBelow ? NumberKind::integer : NumberKind::real;
  }
  return parsed;
}

class TableBuilder {
 public:
  TableBuilder(const ByteSource& source, const CsvOptions& options)
      : source_(source),
        options_(options),
        reader_(source, options.separator == '\0' ? csv_separator(source) : options.separator) {}

  CsvTable build() {
    std::vector<CsvField> fields;
    require(reader_.next(fields), "{}: the file holds no records", source_.name());
    start_columns(fields);
    if (table_.has_header) {
      require(reader_.next(fields), "{}: the file holds a header but no records", source_.name());
    }
    std::string first_reason;
    std::int64_t records = 0;
    do {
      ++records;
      const std::string reason = what_is_wrong(fields);
      if (reason.empty())
        add_row(fields);
      else
        options_.bad_record(reason);
      if (first_reason.empty()) first_reason = reason;
    } while (reader_.next(fields));
    require(table_.rows() > 0, "{}: none of its {} records can be used; of the first one: {}",
            source_.name(), records, first_reason);
    return std::move(table_);
  }

 private:
  void start_columns(const std::vector<CsvField>& fields) {
    table_.has_header = options_.header == CsvHeader::present;
    if (options_.header == CsvHeader::detect)
      table_.has_header = std::ranges::all_of(fields, [](const CsvField& field) {
        return parse_number(field.text).kind == NumberKind::none;
      });
    table_.columns.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i)
      table_.columns[i].name =
          table_.has_header ? std::string(trim(fields[i].text)) : fmt::format("column {}", i + 1);
    ids_.resize(fields.size());
    for (const std::string& wanted : options_.text_columns) mark_text(wanted);
    if (table_.has_header && !options_.used_columns.empty()) mark_unused();
  }

  // A column that is used may be told by its number from 1, as in mark_text.
  void mark_unused() {
    const std::set<std::string_view> used(options_.used_columns.begin(),
                                          options_.used_columns.end());
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      if (!used.contains(table_.columns[i].name) && !used.contains(fmt::format("{}", i + 1)))
        table_.columns[i].is_text = true;
  }

  void mark_text(const std::string& wanted) {
    const auto named = std::ranges::find(table_.columns, wanted, &CsvColumn::name);
    if (named != table_.columns.end()) named->is_text = true;
    for (std::size_t i = 0; named == table_.columns.end() && i < table_.columns.size(); ++i)
      if (wanted == fmt::format("{}", i + 1)) table_.columns[i].is_text = true;
  }

  // Empty if the record can be added. UserError unless bad records are left out.
  std::string what_is_wrong(const std::vector<CsvField>& fields) {
    const auto bad = [&](const CsvField& field, const std::string& reason) {
      if (!options_.bad_record) reader_.fail(field, reason);
      return reader_.message(field, reason);
    };
    if (fields.size() != table_.columns.size())
      return bad(fields.front(), fmt::format("{} fields; {} expected, as in the first record",
                                             fields.size(), table_.columns.size()));
    if (!knows_kinds_) {
      // A first record without a value would make a column of numbers one of texts.
      for (std::size_t i = 0; options_.bad_record && i < fields.size(); ++i)
        if (!table_.columns[i].is_text && trim(fields[i].text).empty())
          return bad(fields[i], fmt::format("there is no value (column {})",
                                            in_quotes(table_.columns[i].name)));
      for (std::size_t i = 0; i < fields.size(); ++i) start_kind(table_.columns[i], fields[i]);
      knows_kinds_ = true;
    }
    numbers_.resize(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (table_.columns[i].is_text) continue;
      numbers_[i] = parse_number(fields[i].text);
      const char* reason = nullptr;
      switch (numbers_[i].kind) {
        case NumberKind::none: reason = "is not a number"; break;
        case NumberKind::too_large: reason = "does not fit a double"; break;
        case NumberKind::not_finite: reason = "is not a finite number"; break;
        case NumberKind::real:
        case NumberKind::integer: break;
      }
      if (reason != nullptr)
        return bad(fields[i], fmt::format("{} {} (column {}){}", in_quotes(fields[i].text), reason,
                                          in_quotes(table_.columns[i].name), options_.number_help));
    }
    return "";
  }

  // With the numbers that were parsed when it was looked at.
  void add_row(const std::vector<CsvField>& fields) {
    table_.lines.push_back(fields.front().line);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      CsvColumn& column = table_.columns[i];
      if (column.is_text) {
        add_text(column, ids_[i], fields[i]);
        continue;
      }
      if (numbers_[i].kind == NumberKind::real) column.is_integer = false;
      column.numbers.push_back(numbers_[i].value);
    }
  }

  static void start_kind(CsvColumn& column, const CsvField& field) {
    column.is_text = column.is_text || parse_number(field.text).kind == NumberKind::none;
    column.is_integer = !column.is_text;
  }

  void add_text(CsvColumn& column, std::unordered_map<std::string, std::int32_t>& ids,
                const CsvField& field) {
    const auto next = static_cast<std::int32_t>(column.texts.size());
    constexpr std::int32_t kMaxTexts = 1 << 24;
    if (next == kMaxTexts) reader_.fail(field, "more than 2^24 different texts in one column");
    const auto [found, is_new] = ids.emplace(trim(field.text), next);
    if (is_new) column.texts.push_back(found->first);
    column.text_ids.push_back(found->second);
  }

  const ByteSource& source_;
  const CsvOptions& options_;
  CsvReader reader_;
  CsvTable table_;
  bool knows_kinds_ = false;           // which columns are text
  std::vector<ParsedNumber> numbers_;  // of the record looked at
  std::vector<std::unordered_map<std::string, std::int32_t>> ids_;
};

}  // namespace

CsvTable read_csv(const ByteSource& source, const CsvOptions& options) {
  return TableBuilder(source, options).build();
}

CsvTable read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  return read_csv(open_maybe_gzip(path), options);
}

}  // namespace tenon::io
