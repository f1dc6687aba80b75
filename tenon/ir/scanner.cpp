#include "tenon/ir/scanner.h"

#include "tenon/base/text.h"

namespace tenon::ir {
namespace {

bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word_part(char c) { return is_word_start(c) || (c >= '0' && c <= '9'); }
bool is_number_part(char c) { return is_word_part(c) || c == '+' || c == '-' || c == '.'; }

}  // namespace

void Scanner::fail(std::string_view message, std::size_t offset) const {
  const std::string_view before = text_.substr(0, offset);
  const auto line = 1 + std::ranges::count(before, '\n');
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  throw UserError(fmt::format("graph text {}:{}: {}", line, offset - start + 1, message));
}

void Scanner::fail_expected(std::string_view expected) {
  skip_space();
  if (remaining() == 0) fail(fmt::format("expected {}, found the end of the text", expected));
  std::size_t length = 1;
  if (is_word_part(text_[offset_]))
    while (length < remaining() && is_word_part(text_[offset_ + length])) ++length;
  fail(
      fmt::format("expected {}, found {}", expected, in_quotes(text_.substr(offset_, length), 40)));
}

void Scanner::skip_space() {
  for (;;) {
    while (remaining() > 0 && std::string_view(" \t\r\n").find(text_[offset_]) != text_.npos)
      ++offset_;
    if (!text_.substr(offset_).starts_with("//")) return;
    offset_ = std::min(text_.find('\n', offset_), text_.size());
  }
}

bool Scanner::at_end() {
  skip_space();
  return remaining() == 0;
}

bool Scanner::next_is(char c) { return !at_end() && text_[offset_] == c; }

bool Scanner::take_at_once(char c) {
  if (remaining() == 0 || text_[offset_] != c) return false;
  ++offset_;
  return true;
}

bool Scanner::take_comment() {
  const std::size_t start = text_.find_first_not_of(" \t", offset_);
  if (start == text_.npos || !text_.substr(start).starts_with("//")) return false;
  offset_ = start + 2;
  return true;
}

std::string Scanner::line_word() {
  offset_ = std::min(text_.find_first_not_of(" \t\r", offset_), text_.size());
  if (remaining() > 0 && text_[offset_] == '"') return string();
  const std::size_t start = offset_;
  offset_ = std::min(text_.find_first_of(" \t\r\n", start), text_.size());
  return std::string(text_.substr(start, offset_ - start));
}

bool Scanner::take(std::string_view token) {
  skip_space();
  if (!text_.substr(offset_).starts_with(token)) return false;
  const std::size_t end = offset_ + token.size();
  if (std::ranges::all_of(token, is_word_part) && end < text_.size() && is_word_part(text_[end]))
    return false;
  offset_ = end;
  return true;
}

void Scanner::expect(std::string_view token) {
  if (!take(token)) fail_expected(fmt::format("\"{}\"", token));
}

std::string_view Scanner::word(std::string_view expected) {
  skip_space();
  const std::size_t start = offset_;
  if (remaining() == 0 || !is_word_start(text_[offset_])) fail_expected(expected);
  while (remaining() > 0 && is_word_part(text_[offset_])) ++offset_;
  return text_.substr(start, offset_ - start);
}

std::string_view Scanner::number_token(std::string_view expected) {
  skip_space();
  const std::size_t start = offset_;
  while (remaining() > 0 && is_number_part(text_[offset_])) ++offset_;
  if (offset_ == start) fail_expected(expected);
  return text_.substr(start, offset_ - start);
}

std::string Scanner::string() {
  skip_space();
  const std::size_t start = offset_;
  if (remaining() == 0 || text_[offset_] != '"') fail_expected("a string in quotes");
  ++offset_;
  std::string value;
  while (remaining() > 0 && text_[offset_] != '"') {
    char c = text_[offset_++];
    if (c == '\n') break;
    if (c == '\\') {
      if (remaining() == 0) break;
      c = text_[offset_++];
      if (c == 'n') {
        c = '\n';
      } else if (c == 'x') {
        unsigned char byte = 0;
        const char* digits = text_.data() + offset_;
        if (remaining() < 2 || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2)
          fail("expected two hexadecimal digits after \\x");
        offset_ += 2;
        c = static_cast<char>(byte);
      } else if (c != '"' && c != '\\') {
        fail(fmt::format("unknown escape {} in a string", in_quotes(std::string{'\\', c})),
             offset_ - 2);
      }
    }
    value += c;
  }
  if (remaining() == 0 || text_[offset_] != '"') fail("the string has no closing quote", start);
  ++offset_;
  return value;
}

std::uint32_t Scanner::value_number() {
  std::uint32_t number = 0;
  const char* const start = text_.data() + offset_;
  const auto [end, error] = std::from_chars(start, text_.data() + text_.size(), number);
  if (error != std::errc{}) fail_expected("the number of a value");
  offset_ += static_cast<std::size_t>(end - start);
  return number;
}

bool Scanner::boolean() {
  if (take("true")) return true;
  if (take("false")) return false;
  fail_expected("true or false");
}

DType Scanner::dtype() {
  const std::string_view token = word("an element type such as f32");
  const std::optional<DType> dtype = parse_dtype(token);
  if (!dtype)
    fail(fmt::format("expected an element type such as f32, found {}", in_quotes(token, 40)),
         token_start(token));
  return *dtype;
}

TensorType Scanner::tensor_type() {
  skip_space();
  const std::size_t start = offset_;
  TensorType type{dtype(), {}};
  expect("[");
  if (!take("]")) {
    do {
      if (type.shape.size() == kLongestList)
        fail(fmt::format("a type has more than {} axes", kLongestList), start);
      type.shape.push_back(integer<std::int64_t>("an extent"));
    } while (take(","));
    expect("]");
  }
  try {
    byte_size(type);
  } catch (const UserError& error) {
    fail(error.what(), start);
  }
  return type;
}

template <class T>
T Scanner::floating(std::string_view token) const {
  T value{};
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  // A NaN is written as its bits.
  if (error != std::errc{} || end != token.data() + token.size() || std::isnan(value))
    fail(fmt::format("expected a number, found {}", in_quotes(token, 40)), token_start(token));
  return value;
}

template <Element T>
T Scanner::element() {
  if constexpr (std::is_same_v<T, bool>) {
    return boolean();
  } else if constexpr (std::is_integral_v<T>) {
    return integer<T>(fmt::format("a number of type {}", name(*kDTypeOf<T>)));
  } else {
    constexpr bool narrow = sizeof(T) == 2;
    using Bits =
        std::conditional_t<narrow, std::uint16_t,
                           std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>>;
    using Wide = std::conditional_t<narrow, float, T>;
    if (take("nan:0x")) {
      const std::string_view digits = number_token("the bits of a NaN");
      Bits bits{};
      const char* const last = digits.data() + digits.size();
      const auto [end, error] = std::from_chars(digits.data(), last, bits, 16);
      const T value = std::bit_cast<T>(bits);
      if (error != std::errc{} || end != last || !std::isnan(static_cast<Wide>(value)))
        fail(fmt::format("{} are no NaN's bits of type {}", in_quotes(digits, 40),
                         name(*kDTypeOf<T>)),
             token_start(digits));
      return value;
    }
    const std::string_view token = number_token("a number");
    const Wide wide = floating<Wide>(token);
    const T value = static_cast<T>(wide);
    if (std::isfinite(wide) && !std::isfinite(static_cast<Wide>(value)))
      fail(fmt::format("{} does not fit {}", token, name(*kDTypeOf<T>)), token_start(token));
    return value;
  }
}

template bool Scanner::element();
template std::int8_t Scanner::element();
template std::uint8_t Scanner::element();
template std::int32_t Scanner::element();
template std::uint32_t Scanner::element();
template std::int64_t Scanner::element();
template std::uint64_t Scanner::element();
template Float16 Scanner::element();
template BFloat16 Scanner::element();
template float Scanner::element();
template double Scanner::element();

}  // namespace tenon::ir
