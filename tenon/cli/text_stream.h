// TextStream: the text of tokens that come one after another, in whole characters.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tenon/data/tokenizer.h"

namespace tenon::cli {

// A token may be part of a character, and may read otherwise after others than alone (a space that
// belongs between words). So each is decoded behind the last tokens that were shown.
class TextStream {
 public:
  TextStream(data::Tokenizer tokenizer, std::span<const std::int64_t> prompt);
  // What can be shown now: UTF-8, empty while the last character is not whole.
  std::string add(std::int64_t id);
  // What is left: of a character that was never completed, U+FFFD.
  std::string finish();

 private:
  std::string pending() const;
  data::Tokenizer tokenizer_;
  std::vector<std::int64_t> ids_;  // the last that were shown, then those that were not
  std::size_t shown_ = 0;
};

}  // namespace tenon::cli
