#include "tenon/io/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "tenon/base/hash.h"
#include "tenon/base/text.h"
#include "tenon/io/elements.h"
#include "tenon/io/file.h"
#include "tenon/io/json.h"

namespace tenon::io {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // as in the reference implementation
constexpr std::uint64_t kLengthBytes = 8;

struct SafetensorsEntry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin, end;  // in the data section
};

constexpr std::string_view safetensors_name(DType dtype) {
  switch (dtype) {
    case DType::boolean: return "BOOL";
    case DType::i8: return "I8";
    case DType::u8: return "U8";
    case DType::i32: return "I32";
    case DType::u32: return "U32";
    case DType::i64: return "I64";
    case DType::u64: return "U64";
    case DType::f16: return "F16";
    case DType::bf16: return "BF16";
    case DType::f32: return "F32";
    case DType::f64: return "F64";
  }
  return "?";
}

std::string checksum_text(std::uint64_t digest) { return fmt::format("xxh3:{:016x}", digest); }

// One tensor's description. Every complaint names the tensor; the place is the header's start.
class EntryParser {
 public:
  EntryParser(const std::string& file, const std::string& name) : file_(file), name_(name) {}

  SafetensorsEntry parse(const Json& json, std::uint64_t data_size) const {
    if (!json.is_object()) fail("an object expected");
    for (const auto& [key, value] : json.items())
      if (key != "dtype" && key != "shape" && key != "data_offsets")
        fail("unknown key {}", in_quotes(key));
    SafetensorsEntry entry;
    entry.name = name_;
    entry.dtype = dtype(json);
    for (const std::uint64_t extent : numbers(json, "shape"))
      entry.shape.push_back(static_cast<std::int64_t>(extent));
    const std::vector<std::uint64_t> offsets = numbers(json, "data_offsets");
    if (offsets.size() != 2) fail("\"data_offsets\" must be two numbers");
    entry.begin = offsets[0];
    entry.end = offsets[1];
    if (entry.begin > entry.end || entry.end > data_size)
      fail("data_offsets [{}, {}] lie outside of the {} bytes of data", entry.begin, entry.end,
           data_size);
    const auto bytes = stored_bytes(entry.shape, size_of(entry.dtype));
    if (!bytes) fail("the shape {} is impossible", to_string(entry.shape));
    if (*bytes != entry.end - entry.begin)
      fail("{} takes {} bytes, data_offsets give it {}", TensorType{entry.dtype, entry.shape},
           *bytes, entry.end - entry.begin);
    return entry;
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    fail_at(file_, kLengthBytes, "tensor {}: {}", in_quotes(name_),
            fmt::format(format, std::forward<Args>(args)...));
  }
  const Json& field(const Json& json, const char* key) const {
    const auto found = json.find(key);
    if (found == json.end()) fail("no \"{}\"", key);
    return *found;
  }
  DType dtype(const Json& json) const {
    const Json& text = field(json, "dtype");
    if (!text.is_string()) fail("\"dtype\" must be text");
    for (const DType dtype : kAllDTypes)
      if (safetensors_name(dtype) == text.get_ref<const std::string&>()) return dtype;
    fail("element type {} is not supported", in_quotes(text.get_ref<const std::string&>()));
  }
  std::vector<std::uint64_t> numbers(const Json& json, const char* key) const {
    const Json& list = field(json, key);
    if (!list.is_array()) fail("\"{}\" must be a list of numbers", key);
    if (list.size() > kMaxRank)
      fail("\"{}\" has {} entries; at most {} are supported", key, list.size(), kMaxRank);
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    std::vector<std::uint64_t> values;
    for (const Json& item : list) {
      if (!item.is_number_unsigned() || item.get<std::uint64_t>() > kMost)
        fail("\"{}\" must hold integers from 0 to 2^63 - 1, not {}", key, item.dump());
      values.push_back(item.get<std::uint64_t>());
    }
    return values;
  }

  const std::string& file_;
  const std::string& name_;
};

std::map<std::string, std::string> read_metadata(const std::string& file, const Json& json) {
  if (!json.is_object()) fail_at(file, kLengthBytes, "\"__metadata__\" must be an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) fail_at(file, kLengthBytes, "metadata {} must be text", in_quotes(key));
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

// Entries in the order of their data; UserError for overlaps, holes and a rest.
void sort_and_check_cover(const std::string& file, std::vector<SafetensorsEntry>& entries,
                          std::uint64_t data_start, std::uint64_t data_size) {
  std::ranges::sort(entries, [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  std::uint64_t covered = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != covered)
      fail_at(file, data_start + std::min(entry.begin, covered), "tensor {} {}",
              in_quotes(entry.name),
              entry.begin < covered ? "overlaps the one before it" : "leaves a hole before it");
    covered = entry.end;
  }
  if (covered != data_size)
    fail_at(file, data_start + covered, "{} bytes belong to no tensor", data_size - covered);
}

}  // namespace

Safetensors read_safetensors(const ByteSource& source) {
  Cursor cursor(source);
  const auto length = cursor.little_endian<std::uint64_t>("the header length");
  if (length > kMaxHeaderBytes || length > cursor.remaining())
    fail_at(source.name(), 0, "a header of {} bytes in a file of {} (not a safetensors file?)",
            length, source.size());
  const std::string header = cursor.text(length, "the header");
  if (!header.starts_with('{'))
    fail_at(source.name(), kLengthBytes, "the header must start with {{");
  const Json json = parse_json(header, source.name() + ": header");
  const std::uint64_t data_start = cursor.offset();
  const std::uint64_t data_size = cursor.remaining();

  Safetensors result;
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, description] : json.items()) {
    if (name == kMetadataKey)
      result.metadata = read_metadata(source.name(), description);
    else
      entries.push_back(EntryParser(source.name(), name).parse(description, data_size));
  }
  sort_and_check_cover(source.name(), entries, data_start, data_size);

  ByteHasher hasher;
  for (const SafetensorsEntry& entry : entries) {
    HostTensor tensor = read_elements(source, data_start + entry.begin, entry.shape,
                                      {entry.dtype, size_of(entry.dtype)});
    hasher.update(tensor.bytes());
    result.tensors.emplace(entry.name, std::move(tensor));
  }
  if (const auto found = result.metadata.find(std::string(kChecksumKey));
      found != result.metadata.end()) {
    const std::string actual = checksum_text(hasher.digest());
    if (found->second != actual)
      fail_at(source.name(), data_start,
              "the data is corrupt: its checksum is {}, the header says {}", actual,
              in_quotes(found->second));
    result.metadata.erase(found);
  }
  return result;
}

Safetensors read_safetensors(const std::filesystem::path& path) {
  return read_safetensors(ByteSource::open(path));
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  require(!metadata.contains(std::string(kChecksumKey)),
          "cannot write {}: the metadata key \"{}\" is reserved", path.string(), kChecksumKey);
  std::vector<const NamedTensors::value_type*> ordered;
  for (const auto& entry : tensors) {
    require(entry.first != kMetadataKey, "cannot write {}: a tensor may not be named \"{}\"",
            path.string(), kMetadataKey);
    ordered.push_back(&entry);
  }
  std::ranges::stable_sort(ordered, std::ranges::greater{},
                           [](const auto* entry) { return size_of(entry->second.dtype()); });

  Json header = Json::object();
  ByteHasher hasher;
  std::uint64_t offset = 0;
  for (const auto* entry : ordered) {
    const auto& [name, tensor] = *entry;
    const std::uint64_t end = offset + tensor.bytes().size();
    header[name] = {{"dtype", safetensors_name(tensor.dtype())},
                    {"shape", tensor.shape()},
                    {"data_offsets", {offset, end}}};
    hasher.update(tensor.bytes());
    offset = end;
  }
  Json& written_metadata = header[std::string(kMetadataKey)] = metadata;
  written_metadata[std::string(kChecksumKey)] = checksum_text(hasher.digest());

  std::string text = json_text(header, -1);
  text.back() = ' ';  // for the line end; then spaces up to a multiple of 8
  text += std::string((8 - text.size() % 8) % 8, ' ');
  std::array<std::byte, kLengthBytes> length;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    length[i] = static_cast<std::byte>(text.size() >> 8 * i & 0xff);

  AtomicFile file(path);
  file.write(length);
  file.write(text);
  for (const auto* entry : ordered) file.write(entry->second.bytes());
  file.commit();
}

}  // namespace tenon::io
