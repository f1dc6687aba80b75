// Weights that are treated in a way of their own, chosen by the names they have.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/optim/hyperparameter.h"

namespace tenon::optim {

// The learning rate of the weights of this name (tenon/base/name_pattern.h) is so many times the
// optimizer's: PyTorch's parameter groups. 0 leaves them where they are.
struct RateFactor {
  std::string pattern;
  double factor = 1;
  bool operator==(const RateFactor&) const = default;
};

// "PATTERN=FACTOR", as `tenon train --rate-for` has it. UserError unless the pattern is there and
// the factor finite and 0 or more.
RateFactor parse_rate_factor(std::string_view text);
std::string text_of(const RateFactor& rate);

// The pattern itself; UserError if it is empty.
std::string parse_pattern(std::string_view text);

// A list of entries as a list of texts, for visitors.
template <class Entry>
class TextListOf final : public TextList {
 public:
  using Write = std::function<std::string(const Entry&)>;
  using Read = std::function<Entry(std::string_view)>;
  TextListOf(std::vector<Entry>& entries, Write write, Read read)
      : entries_(entries), write_(std::move(write)), read_(std::move(read)) {}
  std::vector<std::string> texts() const override {
    std::vector<std::string> texts;
    for (const Entry& entry : entries_) texts.push_back(write_(entry));
    return texts;
  }
  void set(std::span<const std::string> texts) override {
    std::vector<Entry> entries;
    for (const std::string& text : texts) entries.push_back(read_(text));
    entries_ = std::move(entries);
  }

 private:
  std::vector<Entry>& entries_;
  Write write_;
  Read read_;
};

// The number that a text is as a whole; UserError "WHAT: expected a number, got ...".
double parse_finite(std::string_view text, std::string_view what);

}  // namespace tenon::optim
