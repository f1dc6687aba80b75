#include <algorithm>
#include <charconv>

#include "tenon/base/text.h"
#include "tenon/data/tokenizer_steps.h"

namespace tenon::data::token_steps {
namespace {

using Tokens = std::vector<std::string>;

Tokens apply_decoder(const DecodeBytes&, const Tokens& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) {
    std::string decoded;
    std::string_view left = token;
    while (!left.empty()) {
      const Character character = front_character(left);
      const std::optional<unsigned char> byte = byte_of(character.code);
      if (!byte) break;
      decoded += static_cast<char>(*byte);
      left.remove_prefix(character.length);
    }
    bytes += left.empty() ? decoded : token;  // a token that is not made of bytes is itself
  }
  return {well_formed_utf8(bytes)};
}

// The byte that <0x..> names. As Rust's from_str_radix reads them, a sign may stand first.
std::optional<char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  std::string_view digits = token.substr(3, 2);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  unsigned byte = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), byte, 16);
  if (error != std::errc() || end != digits.end()) return std::nullopt;
  return static_cast<char>(byte);
}

Tokens apply_decoder(const ByteFallback&, const Tokens& tokens) {
  Tokens result;
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    const std::string text = well_formed_utf8(bytes);
    if (text == bytes) {
      result.push_back(text);
    } else {
      result.insert(result.end(), bytes.size(), "\xef\xbf\xbd");
    }
    bytes.clear();
  };
  for (const std::string& token : tokens) {
    if (const std::optional<char> byte = fallback_byte(token)) {
      bytes += *byte;
    } else {
      flush();
      result.push_back(token);
    }
  }
  flush();
  return result;
}

Tokens apply_decoder(const Fuse&, const Tokens& tokens) { return {join(tokens, "")}; }

Tokens apply_decoder(const StripCharacters& step, Tokens tokens) {
  for (std::string& token : tokens) {
    std::string_view left = token;
    for (std::int64_t i = 0; i < step.start && left.starts_with(step.character); ++i)
      left.remove_prefix(step.character.size());
    for (std::int64_t i = 0; i < step.stop && left.ends_with(step.character); ++i)
      left.remove_suffix(step.character.size());
    token = std::string(left);
  }
  return tokens;
}

Tokens apply_decoder(const Replace& step, Tokens tokens) {
  const std::vector<Normalizer> normalizer = {step};
  for (std::string& token : tokens) token = normalize(normalizer, token);
  return tokens;
}

Tokens apply_decoder(const DecodeMetaspace& step, Tokens tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = replaced(tokens[i], step.replacement,
                         i == 0 && step.scheme != PrependScheme::never ? "" : " ");
  return tokens;
}

// Undoes what splitting did to English punctuation.
void clean_up(std::string& text) {
  constexpr std::array<std::array<std::string_view, 2>, 11> kRules = {{{" .", "."},
                                                                       {" ?", "?"},
                                                                       {" !", "!"},
                                                                       {" ,", ","},
                                                                       {" ' ", "'"},
                                                                       {" n't", "n't"},
                                                                       {" 'm", "'m"},
                                                                       {" do not", " don't"},
                                                                       {" 's", "'s"},
                                                                       {" 've", "'ve"},
                                                                       {" 're", "'re"}}};
  for (const auto& [from, to] : kRules) text = replaced(text, from, to);
}

Tokens apply_decoder(const DecodeWordPiece& step, Tokens tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::string& token = tokens[i];
    if (i > 0)
      token.starts_with(step.prefix) ? token.erase(0, step.prefix.size()) : token.insert(0, 1, ' ');
    if (step.cleanup) clean_up(token);
  }
  return tokens;
}

Tokens apply_decoder(const DecodeSuffix& step, Tokens tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = replaced(tokens[i], step.suffix, i + 1 == tokens.size() ? "" : " ");
  return tokens;
}

}  // namespace

const std::array<std::string, 256>& byte_characters() {
  static const std::array<std::string, 256> characters = [] {
    std::array<std::string, 256> result;
    char32_t other = 0x100;
    for (char32_t byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
      append_character(result[byte], printable ? byte : other++);
    }
    return result;
  }();
  return characters;
}

std::optional<unsigned char> byte_of(char32_t character) {
  constexpr std::size_t kEnd = 0x144;  // 68 bytes are not printable
  static const std::array<std::int16_t, kEnd> bytes = [] {
    std::array<std::int16_t, kEnd> result;
    result.fill(-1);
    for (std::size_t byte = 0; byte < 256; ++byte)
      result[front_character(byte_characters()[byte]).code] = static_cast<std::int16_t>(byte);
    return result;
  }();
  if (character >= kEnd || bytes[character] < 0) return std::nullopt;
  return static_cast<unsigned char>(bytes[character]);
}

std::string to_byte_characters(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size() + bytes.size() / 4);
  for (const char byte : bytes) result += byte_characters()[static_cast<unsigned char>(byte)];
  return result;
}

std::vector<std::string> decode(const std::vector<Decoder>& decoders,
                                std::vector<std::string> tokens) {
  for (const Decoder& decoder : decoders)
    tokens = std::visit([&](const auto& step) { return apply_decoder(step, std::move(tokens)); },
                        decoder);
  return tokens;
}

}  // namespace tenon::data::token_steps
