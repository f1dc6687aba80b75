// The steps of a tokenizer.json around its model: normalizers, splitters and decoders.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tenon/data/text_unicode.h"
#include "tenon/data/tokenizer_pattern.h"

namespace tenon::data::token_steps {

// Bytes as printable characters, the alphabet of byte-level models (GPT-2's encoder.py): a byte of
// printable Latin-1 is itself, the others are U+0100 on, in order.
const std::array<std::string, 256>& byte_characters();
std::optional<unsigned char> byte_of(char32_t character);
std::string to_byte_characters(std::string_view bytes);

// The text with every `what` from left to right replaced; as it is if `what` is empty.
std::string replaced(std::string_view text, std::string_view what, std::string_view by);

// --- Normalizers: text to text. ---

struct Normal {
  NormalForm form;
};
struct Lowercase {};
struct StripSpaces {
  bool left, right;
};
struct StripAccents {};
struct Replace {
  TokenPattern pattern;
  std::string content;
};
struct Prepend {
  std::string text;
};
struct BertNormalizer {
  bool clean_text, handle_chinese, strip_accents, lowercase;
};
struct BytesAsCharacters {};
using Normalizer = std::variant<Normal, Lowercase, StripSpaces, StripAccents, Replace, Prepend,
                                BertNormalizer, BytesAsCharacters>;

// All in order. UserError if the text grows beyond 64 times its length and 1024 bytes.
std::string normalize(const std::vector<Normalizer>& normalizers, std::string_view text);

// --- Splitters: text to pieces that the model sees one by one. ---

enum class Delimiter { removed, isolated, merged_with_previous, merged_with_next, contiguous };
enum class PrependScheme { first, never, always };

struct Split {
  TokenPattern pattern;
  Delimiter delimiter;
  bool invert;
};
struct ByteLevel {
  bool add_prefix_space;
  std::optional<TokenPattern> pattern;  // none: the text is not split
};
struct Metaspace {
  std::string replacement;
  PrependScheme scheme;
  bool split;
};
struct SplitBert {};
struct SplitDigits {
  bool individual;
};
struct SplitPunctuation {
  Delimiter delimiter;
};
struct SplitWords {  // words and runs of what is neither word nor space
  TokenPattern pattern;
};
struct SplitSpaces {};
using Splitter = std::variant<Split, ByteLevel, Metaspace, SplitBert, SplitDigits, SplitPunctuation,
                              SplitWords, SplitSpaces>;

using PieceSink = std::function<void(std::string_view)>;
// Gives the pieces, none of them empty, in order; `at_start`: the text begins where the whole does.
void split(const std::vector<Splitter>& splitters, std::string_view text, bool at_start,
           const PieceSink& sink);

// --- Decoders: tokens to tokens; what is left at the end is joined. ---

struct DecodeBytes {};   // of characters that stand for bytes
struct ByteFallback {};  // <0x0A>
struct Fuse {};          // all into one
struct StripCharacters {
  std::string character;
  std::int64_t start, stop;
};
struct DecodeMetaspace {
  std::string replacement;
  PrependScheme scheme;
};
struct DecodeWordPiece {
  std::string prefix;
  bool cleanup;
};
struct DecodeSuffix {
  std::string suffix;
};
using Decoder = std::variant<DecodeBytes, ByteFallback, Fuse, StripCharacters, Replace,
                             DecodeMetaspace, DecodeWordPiece, DecodeSuffix>;

std::vector<std::string> decode(const std::vector<Decoder>& decoders,
                                std::vector<std::string> tokens);

}  // namespace tenon::data::token_steps
