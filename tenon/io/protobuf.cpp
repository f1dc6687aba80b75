#include "tenon/io/protobuf.h"

namespace tenon::io {

void ProtobufReader::fail(const std::string& reason) const {
  fail_at(name_, start_ + place_, "{}", reason);
}

std::uint64_t ProtobufReader::varint() {
  constexpr int kBits = 7, kLastShift = 63;
  std::uint64_t value = 0;
  for (int shift = 0; shift <= kLastShift; shift += kBits) {
    if (place_ == bytes_.size()) fail("the message ends inside a number");
    const auto byte = static_cast<std::uint64_t>(bytes_[place_]);
    if (shift == kLastShift && byte > 1) break;
    ++place_;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail("a number of more than 64 bits");
}

std::uint64_t ProtobufReader::fixed(std::size_t count) {
  if (bytes_.size() - place_ < count) fail("the message ends inside a number");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i)
    value |= static_cast<std::uint64_t>(bytes_[place_ + i]) << (8 * i);
  place_ += count;
  return value;
}

bool ProtobufReader::next(ProtobufField& field) {
  if (place_ == bytes_.size()) return false;
  const std::uint64_t tag = varint();
  constexpr std::uint64_t kMostNumber = (1u << 29) - 1;
  if (tag >> 3 == 0 || tag >> 3 > kMostNumber) fail("a field without a valid number");
  field.number = static_cast<std::uint32_t>(tag >> 3);
  field.value = 0;
  field.bytes = {};
  switch (tag & 7) {
    case 0:
      field.type = WireType::varint;
      field.value = varint();
      return true;
    case 1:
      field.type = WireType::fixed64;
      field.value = fixed(8);
      return true;
    case 2: {
      field.type = WireType::bytes;
      const std::uint64_t length = varint();
      if (length > bytes_.size() - place_)
        fail(fmt::format("field {} of {} bytes runs past the end ({} left)", field.number, length,
                         bytes_.size() - place_));
      field.bytes = bytes_.subspan(place_, static_cast<std::size_t>(length));
      place_ += static_cast<std::size_t>(length);
      return true;
    }
    case 5:
      field.type = WireType::fixed32;
      field.value = fixed(4);
      return true;
  }
  fail(fmt::format("field {} has the unknown wire type {}", field.number, tag & 7));
}

bool ProtobufReader::next_varint(std::uint64_t& value) {
  if (place_ == bytes_.size()) return false;
  value = varint();
  return true;
}

bool ProtobufReader::next_fixed32(std::uint32_t& value) {
  if (place_ == bytes_.size()) return false;
  value = static_cast<std::uint32_t>(fixed(4));
  return true;
}

ProtobufReader ProtobufReader::inside(const ProtobufField& field) const {
  return {field.bytes, name_,
          start_ + static_cast<std::uint64_t>(field.bytes.data() - bytes_.data())};
}

void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}

void append_bytes_field(std::string& out, std::uint32_t number, std::string_view content) {
  append_varint(out, std::uint64_t{number} << 3 | static_cast<std::uint64_t>(WireType::bytes));
  append_varint(out, content.size());
  out += content;
}

}  // namespace tenon::io
