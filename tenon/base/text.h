// Small text helpers: split, trim, join, printable names for messages and "did you mean".
#pragma once
#include <fmt/format.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

// The pieces between separators, empty ones included: split("a,,b", ',') is {"a", "", "b"}.
std::vector<std::string_view> split(std::string_view text, char separator);

// Without spaces, tabs and line ends at either side.
std::string_view trim(std::string_view text);

// The elements, formatted, with the separator between them.
template <class Range>
std::string join(const Range& range, std::string_view separator) {
  return fmt::format("{}", fmt::join(range, separator));
}

// The text in double quotes with control characters escaped, cut after `limit` bytes: safe to
// put into a message whatever a file held.
std::string in_quotes(std::string_view text, std::size_t limit = 60);

// "12.30 MiB"; whole bytes below 1 KiB.
std::string bytes_text(std::int64_t bytes);
// The same rounded up, never less than `bytes`: for what has to be enough.
std::string needed_bytes_text(std::int64_t bytes);

// Least number of insertions, deletions, substitutions and swaps of neighbours that turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to the word, if it is near enough to be a misspelling.
std::optional<std::string> nearest_word(std::string_view word,
                                        std::span<const std::string> candidates);

// "; did you mean \"adam\"?" for the end of a message, or "" if no candidate is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace tenon
