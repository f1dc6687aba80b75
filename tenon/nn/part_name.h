// Names of losses and metrics with numbers in them: "huber:delta=0.5".
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tenon::nn {

// NAME:option=number:option=number/number: a part's name and its options.
class PartName {
 public:
  // `what`: loss or metric. UserError unless every option is option=number.
  PartName(std::string_view what, std::string_view text);

  const std::string& name() const { return name_; }
  double number(std::string_view option, double otherwise);
  std::vector<double> numbers(std::string_view option);
  // UserError if an option was given that nobody asked for.
  void require_all_read() const;

 private:
  struct Option {
    std::string name;
    std::vector<double> values;
    bool is_read = false;
  };
  std::string what_, text_, name_;
  std::vector<Option> options_;
  std::vector<std::string> known_;
};

}  // namespace tenon::nn
