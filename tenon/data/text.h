// Text as a dataset of characters: windows, and the same windows one character later.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/data/dataset.h"

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

// The characters of UTF-8 text, in order. UserError "NAME: byte N: ..." where it is not UTF-8.
std::vector<std::string_view> split_characters(std::string_view text, const std::string& name);

}  // namespace tenon::data
