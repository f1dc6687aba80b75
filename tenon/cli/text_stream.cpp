#include "tenon/cli/text_stream.h"

#include <algorithm>

#include "tenon/data/text_unicode.h"

namespace tenon::cli {
namespace {

constexpr std::size_t kContext = 8;   // tokens kept of those that were shown
constexpr std::size_t kMostHeld = 8;  // no character is longer; then the bytes are none

// Whether more bytes may change the last character. Tokenizers that give UTF-8 show an unfinished
// one as U+FFFD.
bool is_unfinished(std::string_view text) {
  if (text.ends_with("\uFFFD")) return true;
  for (std::size_t length = 1; length <= std::min<std::size_t>(text.size(), 3); ++length) {
    const std::string_view end = text.substr(text.size() - length);
    const auto lead = static_cast<unsigned char>(end.front());
    if ((lead & 0xc0u) == 0x80u) continue;
    const std::size_t needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    const data::Utf8Front front = data::utf8_front(end);
    return needed > length && !front.well_formed && front.length == length;
  }
  return false;
}

}  // namespace

TextStream::TextStream(data::Tokenizer tokenizer, std::span<const std::int64_t> prompt)
    : tokenizer_(std::move(tokenizer)) {
  const std::span<const std::int64_t> last = prompt.last(std::min(prompt.size(), kContext));
  ids_.assign(last.begin(), last.end());
  shown_ = ids_.size();
}

std::string TextStream::pending() const {
  const std::string before = tokenizer_.decode(std::span(ids_).first(shown_));
  const std::string all = tokenizer_.decode(ids_);
  return all.substr(std::min(all.size(), before.size()));
}

std::string TextStream::add(std::int64_t id) {
  ids_.push_back(id);
  const std::string text = pending();
  if (is_unfinished(text) && ids_.size() - shown_ < kMostHeld) return "";
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(shown_));
  shown_ = ids_.size();
  return data::well_formed_utf8(text);
}

std::string TextStream::finish() {
  const std::string text = pending();
  shown_ = ids_.size();
  return data::well_formed_utf8(text);
}

}  // namespace tenon::cli
