// Numbers that a user chooses for a change of images, shown by name with the bounds they must keep.
#pragma once
#include <cstdint>
#include <limits>
#include <string_view>

namespace tenon::augment {

// The numbers a field may be, ends included; all are finite.
struct Bounds {
  double low = 0;
  double high = std::numeric_limits<double>::max();
};
inline constexpr Bounds kFraction{0, 1};
inline constexpr Bounds kNotNegative{};
inline constexpr Bounds kAnyNumber{std::numeric_limits<double>::lowest()};
inline constexpr Bounds kPixels{0, 65535};

// What stands where a moved image has no pixel: `fill`, the nearest pixel of the edge, or the image
// reflected about the centre of its edge pixels (abcd -> ...cb abcd cb...).
enum class Border : std::uint8_t { fill, edge, reflect };

class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void operator()(std::string_view name, double& value, Bounds bounds) = 0;
  virtual void operator()(std::string_view name, std::int64_t& value, Bounds bounds) = 0;
  virtual void operator()(std::string_view name, Border& value) = 0;
};

}  // namespace tenon::augment
