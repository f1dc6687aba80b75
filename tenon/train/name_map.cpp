#include "tenon/train/name_map.h"

#include <algorithm>
#include <cstring>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/text.h"

namespace tenon {
namespace {

// The order in which the tensor's axes stand in the weight.
std::vector<std::size_t> axes_of(TensorChange change, std::size_t rank) {
  std::vector<std::size_t> axes;
  switch (change) {
    case TensorChange::none:
      for (std::size_t i = 0; i < rank; ++i) axes.push_back(i);
      break;
    case TensorChange::output_last:
      for (std::size_t i = 2; i < rank; ++i) axes.push_back(i);
      if (rank > 1) axes.push_back(1);
      if (rank > 0) axes.push_back(0);
      break;
    case TensorChange::transposed_kernel:
      for (std::size_t i = 2; i < rank; ++i) axes.push_back(i);
      for (std::size_t i = 0; i < std::min<std::size_t>(rank, 2); ++i) axes.push_back(i);
      break;
  }
  return axes;
}

HostTensor with_axes(const HostTensor& tensor, const std::vector<std::size_t>& axes) {
  if (std::ranges::is_sorted(axes)) return tensor;
  const Shape strides = row_major_strides(tensor.shape());
  Shape shape, steps;
  for (const std::size_t axis : axes) {
    shape.push_back(tensor.shape()[axis]);
    steps.push_back(strides[axis]);
  }
  HostTensor result({tensor.dtype(), shape});
  const std::size_t size = size_of(tensor.dtype());
  Shape place(shape.size());
  std::int64_t from = 0;
  std::byte* to = result.bytes().data();
  for (std::int64_t i = 0; i < result.size(); ++i, to += size) {
    std::memcpy(to, &tensor.bytes()[static_cast<std::size_t>(from) * size], size);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += steps[axis];
      if (++place[axis] < shape[axis]) break;
      from -= steps[axis] * shape[axis];
      place[axis] = 0;
    }
  }
  return result;
}

// Part `part` of `parts` of the last axis, which they divide.
HostTensor part_of(const HostTensor& tensor, std::int64_t part, std::int64_t parts) {
  if (parts == 1) return tensor;
  Shape shape = tensor.shape();
  const std::size_t row = static_cast<std::size_t>(shape.back()) * size_of(tensor.dtype());
  shape.back() /= parts;
  HostTensor result({tensor.dtype(), shape});
  const std::size_t piece = static_cast<std::size_t>(shape.back()) * size_of(tensor.dtype());
  if (piece == 0) return result;
  for (std::size_t to = 0; to < result.bytes().size(); to += piece)
    std::memcpy(&result.bytes()[to],
                &tensor.bytes()[to / piece * row + static_cast<std::size_t>(part) * piece], piece);
  return result;
}

Shape without_ones(const Shape& shape) {
  Shape rest;
  std::ranges::copy_if(shape, std::back_inserter(rest), [](std::int64_t n) { return n != 1; });
  return rest;
}

const HostTensor& tensor_of(const io::NamedTensors& tensors, const std::string& name,
                            const WeightSource& source, const std::string& file) {
  const auto found = tensors.find(name);
  if (found != tensors.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [one, tensor] : tensors) known.push_back(one);
  throw UserError(fmt::format("{}: no tensor {} for the weight {}{}", file, in_quotes(name),
                              in_quotes(source.weight), did_you_mean(name, known)));
}

// Adds the first row of `rows` to each row of `table`.
HostTensor with_row_added(const HostTensor& table, const HostTensor& rows) {
  HostTensor sum(table);
  with_element_type(table.dtype(), [&]<class T>(TypeTag<T>) {
    const auto elements = sum.as<T>();
    const auto width = static_cast<std::size_t>(table.shape().back());
    for (std::size_t i = 0; i < elements.size(); ++i)
      elements[i] =
          convert_element<T>(element_as_double(table, static_cast<std::int64_t>(i)) +
                             element_as_double(rows, static_cast<std::int64_t>(i % width)));
  });
  return sum;
}

}  // namespace

HostTensor make_weight(const WeightSource& source, const TensorType& type,
                       const io::NamedTensors& tensors, const std::string& prefix,
                       const std::string& file) {
  const std::string name = prefix + source.tensor;
  const HostTensor& tensor = tensor_of(tensors, name, source, file);
  const auto refuse = [&](const std::string& reason) {
    throw UserError(fmt::format(
        "{}: tensor {} is {}, {}the weight {} is {}\n  help: leave it as it is by skipping {}",
        file, in_quotes(name), tensor.type(), reason, in_quotes(source.weight), type,
        in_quotes(source.weight)));
  };
  if (is_float(tensor.dtype()) != is_float(type.dtype)) refuse("");
  const std::vector<std::size_t> axes = axes_of(source.change, tensor.shape().size());
  Shape shape;
  for (const std::size_t axis : axes) shape.push_back(tensor.shape()[axis]);
  const bool divides = source.parts == 1 || (!shape.empty() && shape.back() % source.parts == 0);
  if (!divides) refuse(fmt::format("which does not divide into {} parts; ", source.parts));
  if (source.parts > 1) shape.back() /= source.parts;
  // Axes of one element carry nothing: [1, 1, width] is a row.
  if (without_ones(shape) != without_ones(type.shape)) {
    const bool is_changed = shape != tensor.shape();
    refuse(is_changed ? fmt::format("which makes {}; ", TensorType{tensor.dtype(), shape})
                      : std::string());
  }
  HostTensor weight = converted(
      part_of(with_axes(tensor, axes), source.part, source.parts).reshaped(type.shape), type.dtype);
  if (source.plus_row.empty()) return weight;
  const HostTensor& rows = tensor_of(tensors, prefix + source.plus_row, source, file);
  require(is_float(rows.dtype()) && rows.shape().size() == 2 && rows.shape()[0] > 0 &&
              type.rank() == 2 && rows.shape()[1] == type.shape[1],
          "{}: tensor {} is {}; a row of {} expected, to be added to {}", file,
          in_quotes(prefix + source.plus_row), rows.type(),
          type.shape.empty() ? 0 : type.shape.back(), in_quotes(source.weight));
  return with_row_added(weight, rows);
}

}  // namespace tenon
