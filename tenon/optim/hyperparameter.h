// Numbers that a user chooses for a rule, shown by name with the range they may be in.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::optim {

// The numbers a hyperparameter may be; all are finite. fraction: [0, 1).
enum class Range : std::uint8_t { any, positive, not_negative, fraction, above_one };
bool contains(Range range, double value);
// "above 0", "in [0, 1)", ...
std::string_view description(Range range);

// A list of which each entry has a text: "embedding/*=0.1".
class TextList {
 public:
  virtual ~TextList() = default;
  virtual std::vector<std::string> texts() const = 0;
  // UserError naming the text that is not one of an entry.
  virtual void set(std::span<const std::string> texts) = 0;
};

class HyperparameterVisitor {
 public:
  virtual ~HyperparameterVisitor() = default;
  virtual void operator()(std::string_view name, double& value, Range range) = 0;
  virtual void operator()(std::string_view name, bool& value) = 0;
  // A whole number from `least` on.
  virtual void operator()(std::string_view name, std::int64_t& value, std::int64_t least) = 0;
  virtual void operator()(std::string_view name, TextList& value) = 0;
};

// UserError "OWNER: NAME must be ..., got ..." for the first number out of its range.
class RangeCheck final : public HyperparameterVisitor {
 public:
  explicit RangeCheck(std::string_view owner) : owner_(owner) {}
  void operator()(std::string_view name, double& value, Range range) override;
  void operator()(std::string_view, bool&) override {}
  void operator()(std::string_view name, std::int64_t& value, std::int64_t least) override;
  void operator()(std::string_view name, TextList& value) override;

 private:
  std::string_view owner_;
};

}  // namespace tenon::optim
