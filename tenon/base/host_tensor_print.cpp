// Prints tensors as NumPy does: nested brackets, aligned columns, "..." in long axes.
#include <algorithm>
#include <cmath>

#include "tenon/base/host_tensor.h"

namespace tenon {
namespace {

constexpr std::int64_t kSummarizeAbove = 1000;  // elements
constexpr std::int64_t kEdgeItems = 3;

std::string element_text(const HostTensor& tensor, std::int64_t index) {
  const DType dtype = tensor.dtype();
  const auto i = static_cast<std::size_t>(index);
  if (dtype == DType::boolean) return tensor.as<bool>()[i] ? "True" : "False";
  if (dtype == DType::i64) return fmt::format("{}", tensor.as<std::int64_t>()[i]);
  if (dtype == DType::u64) return fmt::format("{}", tensor.as<std::uint64_t>()[i]);
  const double value = element_as_double(tensor, index);
  if (is_integer(dtype)) return fmt::format("{:.0f}", value);
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{:.{}g}", value, dtype == DType::f64 ? 9 : 7);
  if (text.find_first_of(".e") == std::string::npos) text += '.';
  return text;
}

struct Printer {
  const HostTensor& tensor;
  Shape strides = row_major_strides(tensor.shape());
  bool summarize = tensor.size() > kSummarizeAbove;
  std::size_t width = 0;

  template <class Visit>
  void each_shown(std::int64_t extent, Visit visit) const {
    const bool cut = summarize && extent > 2 * kEdgeItems;
    for (std::int64_t i = 0; i < extent; ++i) {
      if (cut && i == kEdgeItems) {
        visit(i, true);
        i = extent - kEdgeItems;
      }
      visit(i, false);
    }
  }
  void measure(std::size_t axis, std::int64_t offset) {
    if (axis == tensor.shape().size()) {
      width = std::max(width, element_text(tensor, offset).size());
      return;
    }
    each_shown(tensor.shape()[axis], [&](std::int64_t i, bool gap) {
      if (!gap) measure(axis + 1, offset + i * strides[axis]);
    });
  }
  void print(std::string& out, std::size_t axis, std::int64_t offset) const {
    const std::size_t rank = tensor.shape().size();
    if (axis == rank) {
      out += fmt::format("{:>{}}", element_text(tensor, offset), width);
      return;
    }
    out += '[';
    const std::size_t inner = rank - axis - 1;  // brackets that open on the next line
    const std::string separator =
        inner == 0 ? ", " : fmt::format(",{:\n>{}}{: >{}}", "", inner, "", axis + 1);
    bool first = true;
    each_shown(tensor.shape()[axis], [&](std::int64_t i, bool gap) {
      if (!first) out += separator;
      first = false;
      if (gap)
        out += "...";
      else
        print(out, axis + 1, offset + i * strides[axis]);
    });
    out += ']';
  }
};

}  // namespace

std::string to_string(const HostTensor& tensor) {
  if (tensor.size() == 0) {
    return fmt::format("[] ({})", tensor.type());
  }
  Printer printer{tensor};
  printer.measure(0, 0);
  std::string out;
  printer.print(out, 0, 0);
  return out;
}

}  // namespace tenon
