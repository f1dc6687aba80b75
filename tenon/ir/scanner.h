// Steps through graph text token by token and reports where something is wrong.
#pragma once
#include <charconv>
#include <string>
#include <string_view>

#include "tenon/base/error.h"
#include "tenon/base/tensor_type.h"

namespace tenon::ir {

class Scanner {
 public:
  static constexpr std::size_t kLongestList = 64;  // extents, axes and the like

  explicit Scanner(std::string_view text) : text_(text) {}

  // UserError "graph text LINE:COLUMN: MESSAGE" at the token that starts at the offset.
  [[noreturn]] void fail(std::string_view message, std::size_t offset) const;
  [[noreturn]] void fail(std::string_view message) const { fail(message, offset_); }
  // fail(`expected EXPECTED, found "..."`) at the next token.
  [[noreturn]] void fail_expected(std::string_view expected);

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return text_.size() - offset_; }

  // Blanks, line ends and comments.
  void skip_space();
  bool at_end();
  // Whether this character comes next.
  bool next_is(char c);
  // Takes the character if it comes next with no space before it.
  bool take_at_once(char c);

  // Whether a comment comes next on this line; takes its "//" if so.
  bool take_comment();
  // The next word of the line, or a string in quotes; empty at its end.
  std::string line_word();

  // Whether the token comes next; takes it if so. A word must end where the token ends.
  bool take(std::string_view token);
  void expect(std::string_view token);
  // [A-Za-z_][A-Za-z0-9_]*
  std::string_view word(std::string_view expected);
  // Text in double quotes with \" \\ \n and \xHH.
  std::string string();
  // Letters, digits and + - . _ : numbers in all their spellings.
  std::string_view number_token(std::string_view expected);

  template <class T>
  T integer(std::string_view expected) {
    const std::string_view token = number_token(expected);
    T value{};
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
    if (error != std::errc{} || end != token.data() + token.size())
      fail(fmt::format("expected {}, found \"{}\"", expected, token), token_start(token));
    return value;
  }
  // Digits alone, as in %12 and after its dot.
  std::uint32_t value_number();
  bool boolean();
  DType dtype();
  // f32[2,3], its size checked.
  TensorType tensor_type();
  // One element of a constant.
  template <Element T>
  T element();

  std::size_t token_start(std::string_view token) const {
    return static_cast<std::size_t>(token.data() - text_.data());
  }

 private:
  template <class T>
  T floating(std::string_view token) const;

  std::string_view text_;
  std::size_t offset_ = 0;
};

}  // namespace tenon::ir
