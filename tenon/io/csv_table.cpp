#include <charconv>
#include <cmath>
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
      : source_(source), options_(options), reader_(source, options.separator) {}

  CsvTable build() {
    std::vector<CsvField> fields;
    require(reader_.next(fields), "{}: the file holds no records", source_.name());
    start_columns(fields);
    if (table_.has_header) {
      require(reader_.next(fields), "{}: the file holds a header but no records", source_.name());
    }
    do {
      add_row(fields);
    } while (reader_.next(fields));
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
  }

  void mark_text(const std::string& wanted) {
    const auto named = std::ranges::find(table_.columns, wanted, &CsvColumn::name);
    if (named != table_.columns.end()) named->is_text = true;
    for (std::size_t i = 0; named == table_.columns.end() && i < table_.columns.size(); ++i)
      if (wanted == fmt::format("{}", i + 1)) table_.columns[i].is_text = true;
  }

  void add_row(const std::vector<CsvField>& fields) {
    if (fields.size() != table_.columns.size())
      reader_.fail(fields.front(), fmt::format("{} fields; {} expected, as in the first record",
                                               fields.size(), table_.columns.size()));
    const bool first = table_.lines.empty();
    table_.lines.push_back(fields.front().line);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      CsvColumn& column = table_.columns[i];
      if (first) start_kind(column, fields[i]);
      if (column.is_text)
        add_text(column, ids_[i], fields[i]);
      else
        add_number(column, fields[i]);
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

  void add_number(CsvColumn& column, const CsvField& field) {
    const ParsedNumber parsed = parse_number(field.text);
    const char* reason = nullptr;
    switch (parsed.kind) {
      case NumberKind::none: reason = "is not a number"; break;
      case NumberKind::too_large: reason = "does not fit a double"; break;
      case NumberKind::not_finite: reason = "is not a finite number"; break;
      case NumberKind::real: column.is_integer = false; break;
      case NumberKind::integer: break;
    }
    if (reason != nullptr)
      reader_.fail(field, fmt::format("{} {} (column {})", in_quotes(field.text), reason,
                                      in_quotes(column.name)));
    column.numbers.push_back(parsed.value);
  }

  const ByteSource& source_;
  const CsvOptions& options_;
  CsvReader reader_;
  CsvTable table_;
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
