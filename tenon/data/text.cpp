#include "tenon/data/text.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "tenon/base/text.h"
#include "tenon/io/byte_source.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

// Bytes of the UTF-8 sequence at the front (RFC 3629), 0 if it is malformed.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool overlong = lead == 0xf0 && byte(1) < 0x90;
    const bool beyond = lead == 0xf4 && byte(1) > 0x8f;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::vector<std::string_view> split_characters(std::string_view text, const std::string& name) {
  std::vector<std::string_view> characters;
  for (std::size_t place = 0; place < text.size();) {
    const std::size_t length = sequence_length(text.substr(place));
    if (length == 0) io::fail_at(name, place, "the text is not UTF-8");
    characters.push_back(text.substr(place, length));
    place += length;
  }
  return characters;
}

Dataset text_characters(const std::filesystem::path& file, std::int64_t window,
                        const TextOptions& options) {
  const std::string name = file.string();
  require(window >= 1, "{}: windows of {} characters; at least 1 is needed", name, window);
  require(options.stride >= 0, "{}: a stride of {} characters", name, options.stride);
  const std::int64_t stride = options.stride == 0 ? window : options.stride;
  const std::string text = io::read_text_file(file);
  const std::vector<std::string_view> characters = split_characters(text, name);
  const auto length = static_cast<std::int64_t>(characters.size());
  require(length > window,
          "{}: {} characters are too few for windows of {} and the character after each", name,
          length, window);

  // UTF-8 sorts by bytes as by code points.
  std::vector<std::string> vocabulary = options.vocabulary;
  if (vocabulary.empty()) {
    const std::set<std::string_view> different(characters.begin(), characters.end());
    vocabulary.assign(different.begin(), different.end());
  }
  std::unordered_map<std::string_view, std::int32_t> ids;
  for (std::size_t i = 0; i < vocabulary.size(); ++i)
    ids.emplace(vocabulary[i], static_cast<std::int32_t>(i));
  std::vector<std::int32_t> encoded;
  encoded.reserve(characters.size());
  for (const std::string_view character : characters) {
    const auto found = ids.find(character);
    if (found == ids.end())
      io::fail_at(name, static_cast<std::uint64_t>(character.data() - text.data()),
                  "the character {} is not in the vocabulary of {}", in_quotes(character),
                  vocabulary.size());
    encoded.push_back(found->second);
  }

  const std::int64_t count = (length - window - 1) / stride + 1;
  HostTensor x({DType::i32, {count, window}}), y({DType::i32, {count, window}});
  for (std::int64_t i = 0; i < count; ++i) {
    const auto from = encoded.begin() + i * stride;
    std::copy_n(from, window, x.as<std::int32_t>().begin() + i * window);
    std::copy_n(from + 1, window, y.as<std::int32_t>().begin() + i * window);
  }
  return {name, std::move(x), Array(std::move(y)), std::move(vocabulary)};
}

}  // namespace tenon::data
