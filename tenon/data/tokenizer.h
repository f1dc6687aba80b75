// Text to ids and back: by characters, by bytes, or by a model that a tokenizer.json describes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::data {

// Tokens such as [CLS] or <s>: those that a file's post-processor puts around a text when it is
// encoded; all that the file marks as special when ids are decoded.
enum class SpecialTokens { leave_out, keep };

// A value; copies share what they know, and any number of threads may use one.
class Tokenizer {
 public:
  // Any bytes are text: where they are not UTF-8, each maximal ill-formed part counts as U+FFFD
  // (Unicode 15, section 3.9); the byte tokenizer keeps them. Ids are in [0, size()). UserError for
  // a character that a character tokenizer does not know and has no unknown token for, and for text
  // on which a pattern of the file needs too many steps.
  std::vector<std::int64_t> encode(std::string_view text,
                                   SpecialTokens special = SpecialTokens::leave_out) const;
  // UTF-8; bytes that are not (half a character, say) become U+FFFD, but for the byte tokenizer,
  // which gives back every byte. UserError for an id that is not in [0, size()).
  std::string decode(std::span<const std::int64_t> ids,
                     SpecialTokens special = SpecialTokens::leave_out) const;

  // Adds the ids of `text` to a list: what large texts take least memory with.
  void append_ids(std::string_view text, std::vector<std::int32_t>& ids) const;

  std::int64_t size() const;
  // The token as the file spells it: "Ġthe", "##ing". UserError for an id out of range.
  std::string token(std::int64_t id) const;
  const std::vector<std::string>& tokens() const;  // all, by id
  std::optional<std::int64_t> id_of(std::string_view token) const;
  // "character", "byte", "bpe", "wordpiece", "wordlevel" or "unigram".
  std::string_view kind() const;

  // The content of a tokenizer.json that describes this tokenizer (the form of the package
  // `tokenizers`), and a file of it.
  const std::string& json() const;
  void save(const std::filesystem::path& file) const;

  struct Parts;
  explicit Tokenizer(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

 private:
  std::shared_ptr<const Parts> parts_;
};

// One id for each Unicode character (code point) of the vocabulary, in its order; other characters
// get the id of `unknown`, a token of any spelling that is put after the vocabulary unless it is in
// it; if that is empty they are a UserError. UserError for an entry that is no single character,
// for one that appears twice, and for an empty vocabulary.
Tokenizer character_tokenizer(const std::vector<std::string>& vocabulary,
                              const std::string& unknown = "");

struct VocabularyOptions {
  std::int64_t limit = 0;        // at most so many characters, the most frequent; 0: all
  std::int64_t least_count = 1;  // only characters that appear at least so often
};
// The characters of the text in code point order: what character_tokenizer takes. With a limit the
// most frequent ones; of equally frequent ones those with the smaller code points.
std::vector<std::string> character_vocabulary(std::string_view text,
                                              const VocabularyOptions& options = {});

// Ids 0 to 255 are the bytes.
Tokenizer byte_tokenizer();

// A tokenizer.json as the package `tokenizers` and model hubs write it. UserError naming the field
// for what is malformed or not supported (docs/text.md lists what is).
Tokenizer load_tokenizer(const std::filesystem::path& file);
// The same from the content of such a file; `name` is what messages call it.
Tokenizer tokenizer_from_json(std::string_view json, const std::string& name = "tokenizer.json");

}  // namespace tenon::data
