// Numbers that a user chooses for a rule, shown by name with the range they may be in.
#pragma once
#include <cstdint>
#include <string_view>

namespace tenon::optim {

// The numbers a hyperparameter may be; all are finite.
enum class Range : std::uint8_t { any, positive, not_negative, fraction };  // fraction: [0, 1)
bool contains(Range range, double value);
// "above 0", "in [0, 1)", ...
std::string_view description(Range range);

class HyperparameterVisitor {
 public:
  virtual ~HyperparameterVisitor() = default;
  virtual void operator()(std::string_view name, double& value, Range range) = 0;
  virtual void operator()(std::string_view name, bool& value) = 0;
};

// UserError "OWNER: NAME must be ..., got ..." for the first number out of its range.
class RangeCheck final : public HyperparameterVisitor {
 public:
  explicit RangeCheck(std::string_view owner) : owner_(owner) {}
  void operator()(std::string_view name, double& value, Range range) override;
  void operator()(std::string_view, bool&) override {}

 private:
  std::string_view owner_;
};

}  // namespace tenon::optim
