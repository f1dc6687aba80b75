// Text as a dataset: windows of characters or tokens, and the same windows one place later.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/data/dataset.h"
#include "tenon/data/pipeline.h"
#include "tenon/data/tokenizer.h"

namespace tenon::data {

struct TextOptions {
  std::int64_t stride =
      0;  // characters from one window's start to the next; 0: the window's length
  std::vector<std::string> vocabulary = {};  // the file's characters in code point order if empty
};

// x: i32[N, window] character ids, y: the ids one character later; the vocabulary, one UTF-8
// character each, is the class names. UserError for text that is not UTF-8 (with the byte), a
// character outside of a given vocabulary, and a text shorter than window + 1.
Dataset text_characters(const std::filesystem::path& file, std::int64_t window,
                        const TextOptions& options = {});

// The ids of a text, to be cut into windows; `name` is what messages and datasets call it.
struct TokenText {
  std::string name;
  std::shared_ptr<const std::vector<std::int32_t>> ids;
  Tokenizer tokenizer;
};
TokenText tokenize_text(std::string_view text, const std::string& name, const Tokenizer& tokenizer);
TokenText tokenize_file(const std::filesystem::path& file, const Tokenizer& tokenizer);

// x: i32[N, window] ids, y: i32[N, window] the ids one token later; the tokenizer's tokens are the
// class names. `stride`: tokens from one window's start to the next; 0: the window's length.
// UserError for a text of fewer than window + 1 tokens.
Dataset text_windows(const TokenText& text, std::int64_t window, std::int64_t stride = 0);
Dataset text_windows(const std::filesystem::path& file, const Tokenizer& tokenizer,
                     std::int64_t window, std::int64_t stride = 0);
// The same windows made when they are asked for: for windows that overlap, memory for the ids
// alone.
Pipeline text_window_pipeline(const TokenText& text, std::int64_t window, std::int64_t stride = 0);

// The characters of UTF-8 text, in order. UserError "NAME: byte N: ..." where it is not UTF-8.
std::vector<std::string_view> split_characters(std::string_view text, const std::string& name);

}  // namespace tenon::data
