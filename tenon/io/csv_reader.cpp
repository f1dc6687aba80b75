#include "tenon/base/text.h"
#include "tenon/io/csv.h"

namespace tenon::io {
namespace {

constexpr std::size_t kMaxFieldBytes = 1 << 20;
constexpr std::size_t kMaxFields = 1 << 20;

}  // namespace

CsvReader::CsvReader(const ByteSource& source, char separator)
    : source_(source), separator_(separator) {
  constexpr std::uint64_t kMarkBytes = 3;
  if (source.size() < 2) return;
  const std::uint16_t start = Cursor(source).big_endian<std::uint16_t>("the start");
  if (start == 0xfffe || start == 0xfeff) fail_here("this is UTF-16; save it as UTF-8");
  if (source.size() >= kMarkBytes && Cursor(source).text(kMarkBytes, "the start") == "\xef\xbb\xbf")
    offset_ = kMarkBytes;
}

int CsvReader::peek() {
  if (place_ == buffer_.size()) {
    constexpr std::uint64_t kChunk = 1 << 16;
    buffer_.resize(static_cast<std::size_t>(std::min(kChunk, source_.size() - offset_)));
    source_.read(offset_, buffer_);
    offset_ += buffer_.size();
    place_ = 0;
    if (buffer_.empty()) return kEnd;
  }
  return static_cast<int>(buffer_[place_]);
}

void CsvReader::advance() {
  ++place_;
  ++column_;
}

void CsvReader::skip_line_end() {
  const int c = peek();
  advance();
  if (c == '\r' && peek() == '\n') advance();
  ++line_;
  column_ = 1;
}

std::string CsvReader::message(const CsvField& place, const std::string& reason) const {
  return fmt::format("{}: line {}, character {}: {}", source_.name(), place.line, place.column,
                     reason);
}

void CsvReader::fail(const CsvField& place, const std::string& reason) const {
  throw UserError(message(place, reason));
}

void CsvReader::fail_here(const std::string& reason) const { fail({"", line_, column_}, reason); }

void CsvReader::append(CsvField& field, int c) {
  if (c == 0) fail_here("a NUL byte (is this a text file?)");
  if (field.text.size() == kMaxFieldBytes)
    fail(field, fmt::format("a field of more than {} bytes", kMaxFieldBytes));
  field.text += static_cast<char>(c);
}

void CsvReader::read_quoted(CsvField& field) {
  advance();
  for (;;) {
    const int c = peek();
    if (c == kEnd) fail(field, "the quote that opens here is never closed");
    if (c == '"') {
      advance();
      if (peek() != '"') break;
      append(field, '"');
      advance();
    } else if (c == '\r' || c == '\n') {
      append(field, '\n');
      skip_line_end();
    } else {
      append(field, c);
      advance();
    }
  }
  const int c = peek();
  if (c != kEnd && c != separator_ && c != '\r' && c != '\n')
    fail_here(c == ';' || c == '\t'
                  ? "text after a closing quote\n  help: --delimiter says what separates fields"
                  : "text after a closing quote\n  help: a quote within quotes is written twice");
}

void CsvReader::read_plain(CsvField& field) {
  for (int c = peek(); c != kEnd && c != separator_ && c != '\r' && c != '\n'; c = peek()) {
    if (c == '"') fail_here("a quote inside a field that does not start with one");
    append(field, c);
    advance();
  }
}

bool CsvReader::next(std::vector<CsvField>& fields) {
  while (peek() == '\r' || peek() == '\n') skip_line_end();
  std::size_t count = 0;  // fields are overwritten in place, so that their memory is reused
  if (peek() == kEnd) return false;
  for (;;) {
    if (count == kMaxFields) fail_here(fmt::format("more than {} fields", kMaxFields));
    if (count == fields.size()) fields.emplace_back();
    CsvField& field = fields[count++];
    field.text.clear();
    field.line = line_;
    field.column = column_;
    if (peek() == '"')
      read_quoted(field);
    else
      read_plain(field);
    if (peek() != separator_) break;
    advance();
  }
  fields.resize(count);
  if (peek() != kEnd) skip_line_end();
  return true;
}

char csv_separator(const ByteSource& source) {
  constexpr std::uint64_t kMostLooked = 1 << 20;
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(kMostLooked, source.size())));
  source.read(0, bytes);
  std::size_t semicolons = 0, tabs = 0;
  bool is_quoted = false, is_empty = true;
  for (const std::byte byte : bytes) {
    const char c = static_cast<char>(byte);
    const bool ends_line = c == '\n' || c == '\r';
    if (c == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (c == ',') return ',';
    if (ends_line && !is_empty) break;
    is_empty = is_empty && ends_line;
    semicolons += c == ';' ? 1 : 0;
    tabs += c == '\t' ? 1 : 0;
  }
  if (semicolons == 0 && tabs == 0) return ',';
  return semicolons >= tabs ? ';' : '\t';
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace tenon::io
