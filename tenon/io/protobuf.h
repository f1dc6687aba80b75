// The wire format of Protocol Buffers, read field by field and written, within bounds.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/io/byte_source.h"

namespace tenon::io {

// https://protobuf.dev/programming-guides/encoding
enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct ProtobufField {
  std::uint32_t number = 0;
  WireType type = WireType::varint;
  std::uint64_t value = 0;           // of all but bytes
  std::span<const std::byte> bytes;  // of bytes: text, a message, or packed numbers

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// Reads the fields of one message in memory. UserError "NAME: byte N: REASON" for anything that
// runs past the end, numbers of more than 64 bits, groups, and field number 0.
class ProtobufReader {
 public:
  // `start` is where the bytes stand in what `name` names.
  ProtobufReader(std::span<const std::byte> bytes, const std::string& name, std::uint64_t start = 0)
      : bytes_(bytes), name_(name), start_(start) {}

  // Replaces `field` by the next one; false at the end.
  bool next(ProtobufField& field);
  // The next element of packed numbers; false at the end.
  bool next_varint(std::uint64_t& value);
  bool next_fixed32(std::uint32_t& value);

  // A reader for the message in a field of this one.
  ProtobufReader inside(const ProtobufField& field) const;
  [[noreturn]] void fail(const std::string& reason) const;

 private:
  std::uint64_t varint();
  std::uint64_t fixed(std::size_t count);

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::uint64_t start_;
  std::size_t place_ = 0;
};

void append_varint(std::string& out, std::uint64_t value);
// A field of type bytes.
void append_bytes_field(std::string& out, std::uint32_t number, std::string_view content);

}  // namespace tenon::io
