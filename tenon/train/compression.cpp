#include "tenon/train/compression.h"

#include <bit>
#include <charconv>

#include "tenon/base/text.h"
#include "tenon/io/safetensors.h"

namespace tenon {
namespace {

constexpr std::string_view kValuesEnd = ".values", kBitsEnd = ".bits", kShapeStart = "shape ";

std::span<const std::byte> element_bytes(const HostTensor& tensor, std::int64_t element) {
  const std::size_t width = tensor.bytes().size() / static_cast<std::size_t>(tensor.size());
  return tensor.bytes().subspan(static_cast<std::size_t>(element) * width, width);
}

struct SparseTensor {
  HostTensor values, bits;
};

SparseTensor without_zeros(const HostTensor& tensor) {
  std::vector<std::byte> values;
  HostTensor bits({DType::u8, {(tensor.size() + 7) / 8}});
  const auto flags = bits.as<std::uint8_t>();
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    if (element_as_double(tensor, i) == 0) continue;
    flags[static_cast<std::size_t>(i / 8)] |= static_cast<std::uint8_t>(1 << (i % 8));
    const auto bytes = element_bytes(tensor, i);
    values.insert(values.end(), bytes.begin(), bytes.end());
    ++count;
  }
  HostTensor kept({tensor.dtype(), {count}});
  std::ranges::copy(values, kept.bytes().begin());
  return {std::move(kept), std::move(bits)};
}

Shape parse_shape(const std::string& text, const std::string& file, std::string_view name) {
  Shape shape;
  for (const std::string_view part : split(text, ',')) {
    std::int64_t extent = -1;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), extent);
    require(error == std::errc() && end == part.data() + part.size() && extent >= 0,
            "{}: the shape of {} is {}, extents with commas between them expected", file,
            in_quotes(name), in_quotes(text));
    shape.push_back(extent);
  }
  return shape;
}

HostTensor with_zeros(const HostTensor& values, const HostTensor& bits, const Shape& shape,
                      const std::string& file, std::string_view name) {
  require(bits.dtype() == DType::u8 && bits.type().rank() == 1 && values.type().rank() == 1,
          "{}: {} is {} values and {} bits, one axis of each expected", file, in_quotes(name),
          values.type(), bits.type());
  std::int64_t set = 0;
  for (const std::uint8_t byte : bits.as<std::uint8_t>()) set += std::popcount(byte);
  require(set == values.size(), "{}: {} has {} values for {} bits that are set", file,
          in_quotes(name), values.size(), set);
  // The bits are there already: no shape is larger than the file says.
  std::int64_t size = 1;
  for (const std::int64_t extent : shape) {
    const bool fits = extent == 0 || size <= bits.size() * 8 / extent;
    require(fits, "{}: {} has bits for {} elements, its shape {} has more", file, in_quotes(name),
            bits.size() * 8, to_string(shape));
    size *= extent;
  }
  require((size + 7) / 8 == bits.size(), "{}: {} has bits for {} elements, its shape {} has {}",
          file, in_quotes(name), bits.size() * 8, to_string(shape), size);
  HostTensor tensor({values.dtype(), shape});
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    if ((bits.as<std::uint8_t>()[static_cast<std::size_t>(i / 8)] >> (i % 8) & 1) == 0) continue;
    const auto from = element_bytes(values, next++);
    std::ranges::copy(from, tensor.bytes().begin() + i * static_cast<std::ptrdiff_t>(from.size()));
  }
  require(next == values.size(), "{}: {} has bits beyond its {} elements", file, in_quotes(name),
          size);
  return tensor;
}

std::string change_line(std::string_view name, double before, double after) {
  return fmt::format("{:<24} {:>12.6g} {:>12.6g} {:>+12.6g}\n", name, before, after,
                     after - before);
}

}  // namespace

std::string to_string(const Compression& compression) {
  std::string text = fmt::format("{:<24} {:>12} {:>12} {:>12}\n", "", "before", "after", "change");
  text += change_line("loss", compression.before.loss, compression.after.loss);
  for (const auto& [name, value] : compression.before.metrics)
    text += change_line(name, value, compression.after[name]);
  text += fmt::format("{:<24} {:>12} {:>12} {:>+11.1f} %\n", "bytes of the weights",
                      compression.bytes_before, compression.bytes_after,
                      -100 * compression.bytes_saved());
  return text;
}

std::int64_t weight_bytes(const Trainer& trainer) {
  std::int64_t bytes = 0;
  for (const Variable& weight : trainer.weights()) bytes += byte_size(weight.type());
  return bytes;
}

Compression compare_models(Trainer& before, Trainer& after, const data::Dataset& dataset) {
  return {before.evaluate(dataset), after.evaluate(dataset), weight_bytes(before),
          weight_bytes(after)};
}

std::int64_t write_sparse_weights(const std::filesystem::path& file, Trainer& trainer) {
  io::NamedTensors tensors;
  std::map<std::string, std::string> metadata;
  std::int64_t bytes = 0;
  const auto add = [&](const std::string& name, HostTensor tensor) {
    bytes += static_cast<std::int64_t>(tensor.bytes().size());
    tensors.emplace(name, std::move(tensor));
  };
  for (const Variable& weight : trainer.weights()) {
    HostTensor value = trainer.session().read(weight);
    SparseTensor sparse;
    if (value.type().rank() > 0 && value.size() > 0) sparse = without_zeros(value);
    const std::size_t sparse_bytes = sparse.values.bytes().size() + sparse.bits.bytes().size();
    if (sparse.bits.size() == 0 || sparse_bytes >= value.bytes().size()) {
      add(weight.name(), std::move(value));
      continue;
    }
    metadata.emplace(std::string(kShapeStart) + weight.name(), join(value.shape(), ","));
    add(weight.name() + std::string(kValuesEnd), std::move(sparse.values));
    add(weight.name() + std::string(kBitsEnd), std::move(sparse.bits));
  }
  io::write_safetensors(file, tensors, metadata);
  return bytes;
}

io::NamedTensors read_sparse_weights(const std::filesystem::path& file) {
  io::Safetensors stored = io::read_safetensors(file);
  const std::string path = file.string();
  io::NamedTensors tensors;
  for (const auto& [key, text] : stored.metadata) {
    if (!key.starts_with(kShapeStart)) continue;
    const std::string name = key.substr(kShapeStart.size());
    const auto values = stored.tensors.find(name + std::string(kValuesEnd));
    const auto bits = stored.tensors.find(name + std::string(kBitsEnd));
    require(values != stored.tensors.end() && bits != stored.tensors.end(),
            "{}: {} has a shape, but not both values and bits", path, in_quotes(name));
    tensors.emplace(
        name, with_zeros(values->second, bits->second, parse_shape(text, path, name), path, name));
    stored.tensors.erase(values);
    stored.tensors.erase(bits);
  }
  for (auto& [name, tensor] : stored.tensors)
    require(tensors.emplace(name, std::move(tensor)).second, "{}: {} is there twice", path,
            in_quotes(name));
  return tensors;
}

}  // namespace tenon
