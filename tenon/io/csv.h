// Comma-separated values (RFC 4180): a streaming reader and a table of number and text columns.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/io/byte_source.h"

namespace tenon::io {

struct CsvField {
  std::string text;                    // unquoted
  std::uint64_t line = 1, column = 1;  // where it starts; columns count bytes
};

// Reads records one after the other. Fields may be quoted, with "" for a quote and line ends
// inside; lines end in LF, CRLF or CR; a UTF-8 byte order mark is skipped, as are empty lines.
// UserError "FILE: line L, column C: REASON" for a quote out of place or never closed, a NUL byte,
// UTF-16, and fields or records beyond the limits.
class CsvReader {
 public:
  explicit CsvReader(const ByteSource& source, char separator = ',');

  // Replaces `fields` by the next record; false at the end.
  bool next(std::vector<CsvField>& fields);

  [[noreturn]] void fail(const CsvField& place, const std::string& reason) const;
  std::string message(const CsvField& place, const std::string& reason) const;

 private:
  static constexpr int kEnd = -1;
  int peek();  // the next byte, or kEnd
  void advance();
  void skip_line_end();
  void read_quoted(CsvField& field);
  void read_plain(CsvField& field);
  void append(CsvField& field, int c);
  [[noreturn]] void fail_here(const std::string& reason) const;

  const ByteSource& source_;
  char separator_;
  std::uint64_t offset_ = 0;  // of the byte after the buffer
  std::vector<std::byte> buffer_;
  std::size_t place_ = 0;  // in the buffer
  std::uint64_t line_ = 1, column_ = 1;
};

enum class CsvHeader { detect, present, absent };

struct CsvOptions {
  CsvHeader header = CsvHeader::detect;  // detect: the first record, if it holds no number
  char separator = ',';                  // 0: as csv_separator finds it
  // Kept as text whatever they hold: by name, or by number from 1 where no column has that name.
  std::vector<std::string> text_columns = {};
  // If there are any, all other columns are kept as text, too; a header names them.
  std::vector<std::string> used_columns = {};
  std::string number_help = "";  // ends the error for a cell that is no number
  // Called with what is wrong with a record, which is then left out; without it, that is an error.
  std::function<void(const std::string& message)> bad_record = {};
};

struct CsvColumn {
  std::string name;  // "column 3" without a header
  bool is_text = false;
  bool is_integer = false;             // every number is whole and written without . or e
  std::vector<double> numbers;         // one per row, unless is_text
  std::vector<std::int32_t> text_ids;  // one per row, if is_text: indices into texts
  std::vector<std::string> texts;      // the different texts in order of appearance
};

struct CsvTable {
  bool has_header = false;
  std::vector<CsvColumn> columns;
  std::vector<std::uint64_t> lines;  // where each row starts

  std::int64_t rows() const { return static_cast<std::int64_t>(lines.size()); }
};

// A column is text if its first value is not a number. Blanks around values are dropped.
// UserError, with line and column, for a value that is not a finite double in a number column
// (1e999, nan, an empty field), for records of unequal width, and for a file without records. Bad
// records may be left out; which columns are text, the first one with a value in each field says.
CsvTable read_csv(const ByteSource& source, const CsvOptions& options = {});
CsvTable read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

// What separates the fields of the first record: a comma, or if it holds none outside of quotes the
// semicolon or tab, whichever is there more often.
char csv_separator(const ByteSource& source);

// The text as one CSV field: in quotes if it needs them.
std::string csv_field(std::string_view text);

}  // namespace tenon::io
