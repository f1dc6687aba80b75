#include "tenon/data/text.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "tenon/base/text.h"
#include "tenon/data/text_unicode.h"
#include "tenon/io/byte_source.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

// Where windows begin in a list of ids.
struct TextWindowing {
  std::int64_t window, stride, count;
};

TextWindowing window_text(const std::string& name, std::string_view unit, std::int64_t length,
                          std::int64_t window, std::int64_t stride) {
  require(window >= 1, "{}: windows of {} {}s; at least 1 is needed", name, window, unit);
  require(stride >= 0, "{}: a stride of {} {}s", name, stride, unit);
  require(length > window, "{}: {} {}s are too few for windows of {} and the {} after each", name,
          length, unit, window, unit);
  const std::int64_t step = stride == 0 ? window : stride;
  return {window, step, (length - window - 1) / step + 1};
}

// The rows of all windows, `shift` ids later.
HostTensor window_rows(std::span<const std::int32_t> ids, const TextWindowing& windows,
                       std::int64_t shift) {
  HostTensor rows({DType::i32, {windows.count, windows.window}});
  const auto out = rows.as<std::int32_t>().begin();
  for (std::int64_t i = 0; i < windows.count; ++i)
    std::copy_n(ids.begin() + i * windows.stride + shift, windows.window, out + i * windows.window);
  return rows;
}

}  // namespace

std::vector<std::string_view> split_characters(std::string_view text, const std::string& name) {
  std::vector<std::string_view> characters;
  for (std::size_t place = 0; place < text.size();) {
    const Utf8Front front = utf8_front(text.substr(place));
    if (!front.well_formed) io::fail_at(name, place, "the text is not UTF-8");
    characters.push_back(text.substr(place, front.length));
    place += front.length;
  }
  return characters;
}

Dataset text_characters(const std::filesystem::path& file, std::int64_t window,
                        const TextOptions& options) {
  const std::string name = file.string();
  const std::string text = io::read_text_file(file);
  const std::vector<std::string_view> characters = split_characters(text, name);
  const TextWindowing windows = window_text(
      name, "character", static_cast<std::int64_t>(characters.size()), window, options.stride);

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
  return {name, window_rows(encoded, windows, 0), Array(window_rows(encoded, windows, 1)),
          std::move(vocabulary)};
}

TokenText tokenize_text(std::string_view text, const std::string& name,
                        const Tokenizer& tokenizer) {
  auto ids = std::make_shared<std::vector<std::int32_t>>();
  try {
    tokenizer.append_ids(text, *ids);
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", name, error.what()));
  }
  ids->shrink_to_fit();
  return {name, std::move(ids), tokenizer};
}

TokenText tokenize_file(const std::filesystem::path& file, const Tokenizer& tokenizer) {
  return tokenize_text(io::read_text_file(file), file.string(), tokenizer);
}

Dataset text_windows(const TokenText& text, std::int64_t window, std::int64_t stride) {
  const TextWindowing windows =
      window_text(text.name, "token", static_cast<std::int64_t>(text.ids->size()), window, stride);
  return {text.name, window_rows(*text.ids, windows, 0), Array(window_rows(*text.ids, windows, 1)),
          text.tokenizer.tokens()};
}

Dataset text_windows(const std::filesystem::path& file, const Tokenizer& tokenizer,
                     std::int64_t window, std::int64_t stride) {
  return text_windows(tokenize_file(file, tokenizer), window, stride);
}

Pipeline text_window_pipeline(const TokenText& text, std::int64_t window, std::int64_t stride) {
  const TextWindowing windows =
      window_text(text.name, "token", static_cast<std::int64_t>(text.ids->size()), window, stride);
  return Pipeline::from(windows.count, [ids = text.ids, windows](std::int64_t index) {
    const auto row = [&](std::int64_t shift) {
      HostTensor ids_of_row({DType::i32, {windows.window}});
      std::copy_n(ids->begin() + index * windows.stride + shift, windows.window,
                  ids_of_row.as<std::int32_t>().begin());
      return ids_of_row;
    };
    return Sample{row(0), row(1)};
  });
}

}  // namespace tenon::data
