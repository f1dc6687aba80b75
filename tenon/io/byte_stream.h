// Bytes that arrive one after the other: files, gzip files, standard input, sockets.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tenon/io/byte_source.h"

namespace tenon::io {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  virtual const std::string& name() const = 0;
  // Puts at least one byte into `out` (which is not empty) and gives their number; 0 at the end.
  // UserError if reading fails or nothing came for the time that the stream waits.
  virtual std::size_t read_some(std::span<std::byte> out) = 0;

  // Fills `out` as far as there are bytes; gives their number.
  std::size_t read(std::span<std::byte> out);
};

// The bytes of a file or of memory, unpacked if they start like a gzip file; packed data that is
// cut short or fails its checksum is a UserError when it is reached.
std::unique_ptr<ByteStream> stream_of(ByteSource source);

// How long to wait for the other side. UserError unless 0 < seconds < 10^6, or 0: for ever.
struct StreamOptions {
  double timeout_seconds = 60;
};

// UserError if standard input is a terminal.
std::unique_ptr<ByteStream> standard_input(const StreamOptions& options = {});
// Takes over a file descriptor that can be read from.
std::unique_ptr<ByteStream> descriptor_stream(int descriptor, std::string name,
                                              const StreamOptions& options = {});
// Connects to "HOST:PORT", "[IPV6]:PORT" or "unix:PATH"; with "listen:" in front, waits there for
// one that connects. UserError for another text, and if that fails or takes longer than the
// timeout.
std::unique_ptr<ByteStream> connect_stream(const std::string& address,
                                           const StreamOptions& options = {});

}  // namespace tenon::io
