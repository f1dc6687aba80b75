#include "tenon/data/tokenizer_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"

namespace tenon::data {
namespace {

constexpr std::size_t kMostPatternBytes = 16384;
constexpr std::uint32_t kMostNesting = 100;
// Steps of one match: what any expression that splits text into words needs, many times over.
constexpr std::size_t kMostMatchSteps = 10'000'000;
constexpr std::size_t kStepsOfShort = 20'000;
constexpr std::size_t kStepsPerByte = 2'000;
constexpr std::uint32_t kMostHeapKilobytes = 65536;  // of one match
// Many slow matches in one text: seconds, and more for a long text.
constexpr double kLeastSeconds = 20.0;
constexpr double kSecondsPerByte = 20e-6;
constexpr std::size_t kMatchesBetweenLooks = 64;

std::string pcre2_reason(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct TokenPattern::Expression {
  std::string source;
  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;

  Expression() = default;
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;
  ~Expression() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
};

TokenPattern TokenPattern::literal(std::string text) {
  TokenPattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

TokenPattern TokenPattern::regular_expression(std::string_view pattern, const std::string& where) {
  require(pattern.size() <= kMostPatternBytes,
          "{}: a regular expression of {} bytes; at most {} are supported", where, pattern.size(),
          kMostPatternBytes);
  auto expression = std::make_shared<Expression>();
  expression->source = pattern;
  const std::string translated = translate_pattern(pattern, where);
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), &pcre2_compile_context_free);
  expression->context = pcre2_match_context_create(nullptr);
  if (context == nullptr || expression->context == nullptr) throw std::bad_alloc();
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), kMostNesting);
  int error = 0;
  PCRE2_SIZE place = 0;
  expression->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error,
                    &place, context.get());
  require(expression->code != nullptr, "{}: the regular expression {}: {}", where,
          in_quotes(pattern), pcre2_reason(error));
  pcre2_set_heap_limit(expression->context, kMostHeapKilobytes);
  // Faster where the system allows it; the same matches without.
  pcre2_jit_compile(expression->code, PCRE2_JIT_COMPLETE);
  TokenPattern result;
  result.expression_ = std::move(expression);
  return result;
}

void TokenPattern::each_match(std::string_view text,
                              const std::function<void(std::size_t, std::size_t)>& found) const {
  if (!expression_) {
    if (literal_.empty()) return;
    for (std::size_t place = 0; (place = text.find(literal_, place)) != std::string_view::npos;
         place += literal_.size())
      found(place, place + literal_.size());
    return;
  }
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const double most_seconds = kLeastSeconds + kSecondsPerByte * static_cast<double>(text.size());
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create(1, nullptr), &pcre2_match_data_free);
  const std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context(
      pcre2_match_context_copy(expression_->context), &pcre2_match_context_free);
  if (data == nullptr || context == nullptr) throw std::bad_alloc();
  const std::size_t steps = text.size() < kMostMatchSteps / kStepsPerByte
                                ? kStepsOfShort + kStepsPerByte * text.size()
                                : kMostMatchSteps;
  pcre2_set_match_limit(context.get(),
                        static_cast<std::uint32_t>(std::min(steps, kMostMatchSteps)));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::size_t from = 0, count = 0;
  std::size_t last_end = std::string_view::npos;
  while (from <= text.size()) {
    int result = pcre2_match(expression_->code, subject, text.size(), from, PCRE2_NO_UTF_CHECK,
                             data.get(), context.get());
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
      result = pcre2_match(expression_->code, subject, text.size(), from,
                           PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data.get(), context.get());
    if (result == PCRE2_ERROR_NOMATCH) return;
    require(result >= 0,
            "the regular expression {} cannot be searched for in a text of {} bytes: {}",
            in_quotes(expression_->source), text.size(), pcre2_reason(result));
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
    const std::size_t begin = ends[0], end = ends[1];
    if (begin == end && end == last_end) {
      from += from < text.size() ? front_character(text.substr(from)).length : 1;
    } else {
      // A look-behind with \K could match backwards; the translation refuses it.
      check(begin <= end && begin >= from, "a match from {} to {}, searched from {}", begin, end,
            from);
      found(begin, end);
      from = last_end = end;
    }
    if (++count % kMatchesBetweenLooks == 0)
      require(std::chrono::duration<double>(Clock::now() - start).count() <= most_seconds,
              "the regular expression {} takes too long on a text of {} bytes",
              in_quotes(expression_->source), text.size());
  }
}

}  // namespace tenon::data
