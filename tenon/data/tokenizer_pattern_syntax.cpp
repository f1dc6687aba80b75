#include <array>
#include <cctype>
#include <utility>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/data/tokenizer_pattern.h"

namespace tenon::data {
namespace {

// What Oniguruma's \s, \w and \h are, and characters that are no \s, as ranges of a class.
constexpr std::string_view kSpaceSet =
    "\\x{09}-\\x{0d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
    "\\x{205f}\\x{3000}";
constexpr std::string_view kNoSpaceSet =
    "\\x{00}-\\x{08}\\x{0e}-\\x{1f}\\x{21}-\\x{84}\\x{86}-\\x{9f}\\x{a1}-\\x{167f}"
    "\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}"
    "\\x{2060}-\\x{2fff}\\x{3001}-\\x{10ffff}";
constexpr std::string_view kWordSet =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}"
    "\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}";
// Oniguruma's \w outside of a class is also these digits of Latin-1.
constexpr std::string_view kWordDigits = "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}";
constexpr std::string_view kHexadecimalSet = "0-9a-fA-F";
constexpr int kMostClassNesting = 50;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class PatternTranslator {
 public:
  PatternTranslator(std::string_view pattern, const std::string& where)
      : pattern_(pattern), where_(where) {}

  std::string translate() {
    while (!at_end()) {
      const char c = pattern_[place_];
      if (c == '\\') {
        escape();
      } else if (c == '[') {
        ++place_;
        out_ += '[';
        if (next_is('^')) take();
        class_items(0);
        out_ += ']';
      } else if (c == '(') {
        group();
      } else if (c == '{') {
        interval();
      } else {
        take();
      }
    }
    return std::move(out_);
  }

 private:
  bool at_end() const { return place_ >= pattern_.size(); }
  bool next_is(char c) const { return !at_end() && pattern_[place_] == c; }
  std::string_view rest() const { return pattern_.substr(place_); }
  // Copies a character.
  void take() {
    const std::size_t length = utf8_front(rest()).length;
    out_ += rest().substr(0, length);
    place_ += length;
  }

  [[noreturn]] void refuse(std::string_view what) const {
    throw UserError(fmt::format("{}: the regular expression {}: {} is not supported", where_,
                                in_quotes(pattern_), what));
  }

  // A backslash and what follows, the same within a class and outside; false if it differs.
  bool common_escape(char c) {
    constexpr std::string_view kSame = "ntrfae";
    if (kSame.find(c) != std::string_view::npos) {
      out_ += fmt::format("\\{}", c);
    } else if (c == 'v') {
      out_ += "\\x{0b}";
    } else if (c == 'd' || c == 'D') {
      out_ += c == 'd' ? "\\p{Nd}" : "\\P{Nd}";
    } else if (c == 'p' || c == 'P') {
      property(c);
    } else if (c == 'x' || c == 'u') {
      code_point(c);
    } else {
      return false;
    }
    return true;
  }

  // \p{Lu}, \p{Letter}, \p{Han} or \p{^Han}: a general category or a script.
  void property(char c) {
    constexpr std::array<std::array<std::string_view, 2>, 9> kLongNames = {
        {{"Letter", "L"},
         {"Uppercase_Letter", "Lu"},
         {"Lowercase_Letter", "Ll"},
         {"Mark", "M"},
         {"Number", "N"},
         {"Decimal_Number", "Nd"},
         {"Punctuation", "P"},
         {"Symbol", "S"},
         {"Separator", "Z"}}};
    const std::size_t end = rest().find('}');
    if (!next_is('{') || end == std::string_view::npos)
      refuse(fmt::format("\\{} without a name in braces", c));
    std::string_view name = rest().substr(1, end - 1);
    place_ += end + 1;
    const bool negated = name.starts_with('^');
    if (negated) name.remove_prefix(1);
    for (const auto& [long_name, short_name] : kLongNames)
      if (name == long_name) name = short_name;
    // Without "sc:", PCRE2 would take the script's extensions, too.
    const bool category = name.size() <= 2 || name == "Any";
    out_ += fmt::format("\\{}{{{}{}{}}}", c, negated ? "^" : "", category ? "" : "sc:", name);
  }

  // \xHH, \x{H...} or \uHHHH.
  void code_point(char c) {
    const bool braces = c == 'x' && next_is('{');
    if (braces) ++place_;
    std::size_t count = 0;
    const std::size_t most = braces ? 8 : c == 'x' ? 2 : 4;
    while (count < most && count < rest().size() &&
           std::isxdigit(static_cast<unsigned char>(rest()[count])) != 0)
      ++count;
    const std::string digits(rest().substr(0, count));
    place_ += count;
    if (count == 0 || (c == 'u' && count != 4) || (braces && !next_is('}')))
      refuse(fmt::format("\\{} without a number", c));
    if (braces) ++place_;
    if (c == 'x' && !braces && std::stoul(digits, nullptr, 16) >= 0x80)
      refuse(fmt::format("\\x{}, a single byte of a character,", digits));
    out_ += fmt::format("\\x{{{}}}", digits);
  }

  void escape() {
    ++place_;
    if (at_end()) refuse("a backslash at the end");
    const char c = pattern_[place_];
    if (!is_letter_or_digit(c)) {
      out_ += '\\';
      take();
      return;
    }
    ++place_;
    if (common_escape(c)) return;
    switch (c) {
      case 's': out_ += fmt::format("[{}]", kSpaceSet); break;
      case 'S': out_ += fmt::format("[^{}]", kSpaceSet); break;
      case 'w': out_ += fmt::format("[{}{}]", kWordSet, kWordDigits); break;
      case 'W': out_ += fmt::format("[^{}{}]", kWordSet, kWordDigits); break;
      case 'h': out_ += fmt::format("[{}]", kHexadecimalSet); break;
      case 'H': out_ += fmt::format("[^{}]", kHexadecimalSet); break;
      case 'b':
        out_ += fmt::format("(?:(?<=[{0}{1}])(?![{0}{1}])|(?<![{0}{1}])(?=[{0}{1}]))", kWordSet,
                            kWordDigits);
        break;
      case 'B':
        out_ += fmt::format("(?:(?<=[{0}{1}])(?=[{0}{1}])|(?<![{0}{1}])(?![{0}{1}]))", kWordSet,
                            kWordDigits);
        break;
      case 'A':
      case 'z':
      case 'Z': out_ += fmt::format("\\{}", c); break;
      default:
        if (c < '1' || c > '9' || (!at_end() && is_digit(pattern_[place_])))
          refuse(fmt::format("\\{}", c));
        out_ += fmt::format("\\{}", c);  // what a group matched
    }
  }

  // Up to the closing bracket, which is taken but not written. Classes within are united.
  void class_items(int nesting) {
    if (nesting > kMostClassNesting) refuse("a class nested that deep");
    bool after_set = false;
    for (bool first = true;; first = false) {
      if (at_end()) refuse("a class without a closing bracket");
      const char c = pattern_[place_];
      if (c == ']' && !first) {
        ++place_;
        return;
      }
      const bool was_after_set = std::exchange(after_set, false);
      if (c == '[') {
        ++place_;
        if (next_is(':')) refuse("a POSIX bracket");
        if (next_is('^')) refuse("a negated class within a class");
        class_items(nesting + 1);
        after_set = true;
      } else if (c == '&' && rest().starts_with("&&")) {
        refuse("an intersection of classes");
      } else if (c == '\\') {
        after_set = class_escape();
      } else if (c == '-') {
        ++place_;
        const bool before_set =
            rest().starts_with('[') ||
            (rest().size() > 1 && rest()[0] == '\\' &&
             std::string_view("sSwWdDhHpP").find(rest()[1]) != std::string_view::npos);
        out_ += was_after_set || before_set ? "\\-" : "-";
      } else if (static_cast<unsigned char>(c) < 0x80 && !is_letter_or_digit(c)) {
        const bool opens = first && c == '^';  // cannot be: `^` was taken
        out_ += opens ? "\\^" : fmt::format("\\x{{{:02x}}}", c);
        ++place_;
      } else {
        take();
      }
    }
  }

  // True if what was written is a set of characters, not one.
  bool class_escape() {
    ++place_;
    if (at_end()) refuse("a backslash at the end");
    const char c = pattern_[place_];
    if (!is_letter_or_digit(c)) {
      out_ += '\\';
      take();
      return false;
    }
    ++place_;
    if (common_escape(c)) return c == 'd' || c == 'D' || c == 'p' || c == 'P';
    switch (c) {
      case 's': out_ += kSpaceSet; return true;
      case 'S': out_ += kNoSpaceSet; return true;
      case 'w': out_ += kWordSet; return true;
      case 'h': out_ += kHexadecimalSet; return true;
      case 'b': out_ += "\\x{08}"; return false;
      default: refuse(fmt::format("\\{} in a class", c));
    }
  }

  void group() {
    ++place_;
    if (next_is('*')) refuse("(*");
    out_ += '(';
    if (!next_is('?')) return;
    for (const std::string_view known :
         {"?:", "?=", "?!", "?<=", "?<!", "?>", "?i:", "?-i:", "?i)", "?-i)"})
      if (rest().starts_with(known)) {
        out_ += known;
        place_ += known.size();
        return;
      }
    refuse(fmt::format("({}", rest().substr(0, 3)));
  }

  // {n}, {n,}, {,m} or {n,m}; anything else in braces is itself.
  void interval() {
    std::size_t end = 1;
    std::size_t commas = 0, digits = 0;
    while (end < rest().size() && (is_digit(rest()[end]) || (rest()[end] == ',' && commas == 0))) {
      if (rest()[end] == ',')
        ++commas;
      else
        ++digits;
      ++end;
    }
    if (digits == 0 || end >= rest().size() || rest()[end] != '}') {
      out_ += "\\{";
      ++place_;
      return;
    }
    const std::string_view inside = rest().substr(1, end - 1);
    out_ +=
        inside.starts_with(',') ? fmt::format("{{0{}}}", inside) : fmt::format("{{{}}}", inside);
    place_ += end + 1;
    if (next_is('+') || (next_is('?') && commas == 0)) refuse("a sign after an interval");
  }

  std::string_view pattern_;
  const std::string& where_;
  std::size_t place_ = 0;
  std::string out_;
};

}  // namespace

std::string translate_pattern(std::string_view pattern, const std::string& where) {
  return PatternTranslator(pattern, where).translate();
}

}  // namespace tenon::data
