// Names with numbers and words in them, of losses, metrics, augmentations: "huber:delta=0.5".
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenon {

// NAME:option=number:option=number/number:option=word: a part's name and its options.
class PartName {
 public:
  // `what`: loss, metric, ... UserError unless every option is option=value and given once.
  PartName(std::string_view what, std::string_view text);

  const std::string& name() const { return name_; }
  // UserError unless the value is one finite number (`numbers`: some, with / between them).
  double number(std::string_view option, double otherwise);
  std::vector<double> numbers(std::string_view option);
  // The value as it is written, if the option is given.
  std::optional<std::string> word(std::string_view option);
  // UserError if an option was given that nobody asked for.
  void require_all_read() const;

 private:
  struct Option {
    std::string name, value;
    bool is_read = false;
  };
  Option* read(std::string_view option);
  std::string what_, text_, name_;
  std::vector<Option> options_;
  std::vector<std::string> known_;
};

}  // namespace tenon
