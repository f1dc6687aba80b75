// What a tokenizer.json searches a text for: a piece of text, or a regular expression.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tenon::data {

// Copies share the compiled expression; any number of threads may search.
class TokenPattern {
 public:
  static TokenPattern literal(std::string text);
  // In the syntax of Oniguruma, which files of the package `tokenizers` are written in; compiled by
  // PCRE2 after a translation of what the two read differently. UserError beginning with `where`
  // for what is malformed, too large, or would mean something else in PCRE2.
  static TokenPattern regular_expression(std::string_view pattern, const std::string& where);

  // Calls `found` with begin and end of each match from left to right; an empty match right behind
  // another match does not count. The text must be UTF-8. UserError if that takes too many steps.
  void each_match(std::string_view text,
                  const std::function<void(std::size_t, std::size_t)>& found) const;

 private:
  struct Expression;
  std::string literal_;
  std::shared_ptr<const Expression> expression_;
};

// The expression as PCRE2 reads it. UserError as above.
std::string translate_pattern(std::string_view pattern, const std::string& where);

}  // namespace tenon::data
