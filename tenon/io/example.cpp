#include "tenon/io/example.h"

#include <bit>
#include <limits>

#include "tenon/base/variant.h"
#include "tenon/io/protobuf.h"

namespace tenon::io {
namespace {

// Field numbers of the messages.
constexpr std::uint32_t kFeatures = 1, kEntry = 1, kEntryName = 1, kEntryFeature = 2;
constexpr std::uint32_t kBytesList = 1, kFloatList = 2, kIntegerList = 3, kListValue = 1;

void need_type(const ProtobufReader& reader, const ProtobufField& field, WireType type,
               const char* what) {
  if (field.type != type)
    reader.fail(fmt::format("{} has wire type {}; {} expected", what, static_cast<int>(field.type),
                            static_cast<int>(type)));
}

void read_bytes_list(ProtobufReader reader, std::vector<std::string>& out) {
  for (ProtobufField field; reader.next(field);) {
    if (field.number != kListValue) continue;
    need_type(reader, field, WireType::bytes, "a list of bytes");
    out.emplace_back(field.text());
  }
}

// Packed, or each value with a tag of its own.
void read_float_list(ProtobufReader reader, std::vector<float>& out) {
  for (ProtobufField field; reader.next(field);) {
    if (field.number != kListValue) continue;
    if (field.type == WireType::fixed32) {
      out.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(field.value)));
      continue;
    }
    need_type(reader, field, WireType::bytes, "a list of floats");
    out.reserve(out.size() + field.bytes.size() / sizeof(float));
    ProtobufReader packed = reader.inside(field);
    for (std::uint32_t bits = 0; packed.next_fixed32(bits);)
      out.push_back(std::bit_cast<float>(bits));
  }
}

void read_integer_list(ProtobufReader reader, std::vector<std::int64_t>& out) {
  for (ProtobufField field; reader.next(field);) {
    if (field.number != kListValue) continue;
    if (field.type == WireType::varint) {
      out.push_back(std::bit_cast<std::int64_t>(field.value));
      continue;
    }
    need_type(reader, field, WireType::bytes, "a list of integers");
    ProtobufReader packed = reader.inside(field);
    for (std::uint64_t value = 0; packed.next_varint(value);)
      out.push_back(std::bit_cast<std::int64_t>(value));
  }
}

// The feature's list as one of type T: a second one of the same kind goes on with the first.
template <class T>
T& list_in(ExampleFeature& feature) {
  if (!std::holds_alternative<T>(feature)) feature = T();
  return std::get<T>(feature);
}

void read_feature(ProtobufReader reader, ExampleFeature& feature) {
  for (ProtobufField field; reader.next(field);) {
    if (field.number < kBytesList || field.number > kIntegerList) continue;
    need_type(reader, field, WireType::bytes, "a feature");
    const ProtobufReader list = reader.inside(field);
    if (field.number == kBytesList)
      read_bytes_list(list, list_in<std::vector<std::string>>(feature));
    else if (field.number == kFloatList)
      read_float_list(list, list_in<std::vector<float>>(feature));
    else
      read_integer_list(list, list_in<std::vector<std::int64_t>>(feature));
  }
}

void read_entry(ProtobufReader reader, Example& example) {
  std::string name;
  ExampleFeature feature;
  for (ProtobufField field; reader.next(field);) {
    if (field.number == kEntryName) {
      need_type(reader, field, WireType::bytes, "a feature's name");
      name = field.text();
    } else if (field.number == kEntryFeature) {
      need_type(reader, field, WireType::bytes, "a feature");
      read_feature(reader.inside(field), feature);
    }
  }
  example[name] = std::move(feature);
}

std::string list_bytes(const ExampleFeature& feature) {
  std::string packed, list;
  std::uint32_t number = 0;
  std::visit(cases{[&](const std::vector<std::string>& texts) {
                     number = kBytesList;
                     for (const std::string& text : texts)
                       append_bytes_field(list, kListValue, text);
                   },
                   [&](const std::vector<float>& floats) {
                     number = kFloatList;
                     for (const float value : floats) {
                       const auto bits = std::bit_cast<std::uint32_t>(value);
                       for (int i = 0; i < 4; ++i) packed += static_cast<char>(bits >> (8 * i));
                     }
                   },
                   [&](const std::vector<std::int64_t>& integers) {
                     number = kIntegerList;
                     for (const std::int64_t value : integers)
                       append_varint(packed, std::bit_cast<std::uint64_t>(value));
                   }},
             feature);
  if (!packed.empty()) append_bytes_field(list, kListValue, packed);
  std::string bytes;
  append_bytes_field(bytes, number, list);
  return bytes;
}

}  // namespace

Example read_example(std::span<const std::byte> bytes, const std::string& name) {
  Example example;
  ProtobufReader reader(bytes, name);
  for (ProtobufField field; reader.next(field);) {
    if (field.number != kFeatures) continue;
    need_type(reader, field, WireType::bytes, "the features");
    ProtobufReader features = reader.inside(field);
    for (ProtobufField entry; features.next(entry);) {
      if (entry.number != kEntry) continue;
      need_type(features, entry, WireType::bytes, "a feature");
      read_entry(features.inside(entry), example);
    }
  }
  return example;
}

std::string example_bytes(const Example& example) {
  std::string features;
  for (const auto& [name, feature] : example) {
    std::string entry;
    append_bytes_field(entry, kEntryName, name);
    append_bytes_field(entry, kEntryFeature, list_bytes(feature));
    append_bytes_field(features, kEntry, entry);
  }
  std::string bytes;
  append_bytes_field(bytes, kFeatures, features);
  return bytes;
}

}  // namespace tenon::io
