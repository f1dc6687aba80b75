#include "tenon/io/byte_stream.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <utility>

#include "tenon/base/interruption.h"
#include "tenon/base/text.h"
#include "tenon/io/gzip.h"

namespace tenon::io {

std::size_t ByteStream::read(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t count = read_some(out.subspan(done));
    if (count == 0) break;
    done += count;
  }
  return done;
}

namespace {

class SourceStream : public ByteStream {
 public:
  explicit SourceStream(ByteSource source) : source_(std::move(source)) {}
  const std::string& name() const override { return source_.name(); }
  std::size_t read_some(std::span<std::byte> out) override {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), source_.size() - offset_));
    source_.read(offset_, out.first(count));
    offset_ += count;
    return count;
  }

 private:
  ByteSource source_;
  std::uint64_t offset_ = 0;
};

// All members of a gzip file (RFC 1952), piece by piece.
class GzipStream : public ByteStream {
 public:
  explicit GzipStream(ByteSource source) : source_(std::move(source)) {
    check(inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK, "inflateInit2 failed");
  }
  ~GzipStream() override { inflateEnd(&stream_); }
  const std::string& name() const override { return source_.name(); }

  std::size_t read_some(std::span<std::byte> out) override {
    const auto room = static_cast<uInt>(std::min<std::size_t>(out.size(), kChunk));
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = room;
    while (stream_.avail_out == room) {
      const std::uint64_t place = next_ - stream_.avail_in;
      if (stream_.avail_in == 0 && !refill()) {
        if (member_ended_) return 0;
        fail_at(name(), place, "the compressed data ends early");
      }
      if (member_ended_) inflateReset(&stream_);
      const int status = inflate(&stream_, Z_NO_FLUSH);
      member_ended_ = status == Z_STREAM_END;
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        fail_at(name(), place, "corrupt compressed data ({})",
                stream_.msg != nullptr ? stream_.msg : "it cannot be unpacked");
    }
    return room - stream_.avail_out;
  }

 private:
  bool refill() {
    input_.resize(
        static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, source_.size() - next_)));
    source_.read(next_, input_);
    next_ += input_.size();
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(input_.size());
    return !input_.empty();
  }

  static constexpr std::size_t kChunk = 1 << 16;
  ByteSource source_;
  std::uint64_t next_ = 0;  // first byte not yet in input_
  std::vector<std::byte> input_;
  z_stream stream_{};
  bool member_ended_ = false;
};

// Closes the descriptor at its end.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

int milliseconds(const StreamOptions& options) {
  constexpr double kMostSeconds = 1e6;
  require(options.timeout_seconds >= 0 && options.timeout_seconds < kMostSeconds,
          "a timeout of {} seconds; more than 0, or 0 to wait for ever, expected",
          options.timeout_seconds);
  if (options.timeout_seconds == 0) return -1;
  return std::max(1, static_cast<int>(options.timeout_seconds * 1000));
}

// Waits until the descriptor is ready; false when the time is over. Interrupted if a scope of this
// thread wants it.
bool wait_ready(int descriptor, short events, int timeout) {
  const auto start = std::chrono::steady_clock::now();
  const int patience =
      InterruptionScope::is_open() ? static_cast<int>(kInterruptionPatience.count()) : -1;
  for (int left = timeout;;) {
    interruption_point();
    const bool is_last =
        patience < 0 || (left >= 0 && left <= patience);  // nothing to ask after it
    pollfd one{descriptor, events, 0};
    const int ready = ::poll(&one, 1, is_last ? left : patience);
    if (ready > 0) return true;
    if (ready == 0 && is_last) return false;
    require(ready == 0 || errno == EINTR, "waiting for data failed: {}", std::strerror(errno));
    if (timeout < 0) continue;
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    left = static_cast<int>(std::max<std::int64_t>(0, timeout - passed.count()));
  }
}

class DescriptorStream : public ByteStream {
 public:
  DescriptorStream(Descriptor descriptor, std::string name, const StreamOptions& options)
      : descriptor_(std::move(descriptor)),
        name_(std::move(name)),
        timeout_(milliseconds(options)),
        seconds_(options.timeout_seconds) {}
  const std::string& name() const override { return name_; }

  std::size_t read_some(std::span<std::byte> out) override {
    constexpr std::size_t kMostRead = 1 << 20;
    for (;;) {
      require(wait_ready(descriptor_.number(), POLLIN, timeout_), "{}: nothing came for {} seconds",
              name_, seconds_);
      const ssize_t count =
          ::read(descriptor_.number(), out.data(), std::min(out.size(), kMostRead));
      if (count >= 0) return static_cast<std::size_t>(count);
      require(errno == EINTR || errno == EAGAIN, "{}: reading failed: {}", name_,
              std::strerror(errno));
    }
  }

 private:
  Descriptor descriptor_;
  std::string name_;
  int timeout_;
  double seconds_;
};

// A socket that is connected, or one that listens; `reason` says why there is none.
Descriptor open_socket(const sockaddr* address, socklen_t length, int family, bool listens,
                       int timeout, std::string& reason) {
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto failed = [&reason] {
    reason = std::strerror(errno);
    return Descriptor(-1);
  };
  if (socket.number() < 0) return failed();
  if (listens) {
    const int on = 1;
    ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (::bind(socket.number(), address, length) != 0 || ::listen(socket.number(), 1) != 0)
      return failed();
    return socket;
  }
  if (::connect(socket.number(), address, length) == 0) return socket;
  if (errno != EINPROGRESS) return failed();
  if (!wait_ready(socket.number(), POLLOUT, timeout)) {
    errno = ETIMEDOUT;
    return failed();
  }
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0 ? std::move(socket) : failed();
}

Descriptor unix_socket(const std::string& path, bool listens, int timeout, std::string& reason) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    reason = fmt::format("a path of {} bytes; 1 to {} are possible", path.size(),
                         sizeof(address.sun_path) - 1);
    return Descriptor(-1);
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  return open_socket(reinterpret_cast<const sockaddr*>(&address), sizeof(address), AF_UNIX, listens,
                     timeout, reason);
}

Descriptor tcp_socket(std::string host, const std::string& port, bool listens, int timeout,
                      std::string& reason) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (listens ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (status != 0) {
    reason = ::gai_strerror(status);
    return Descriptor(-1);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Descriptor socket =
        open_socket(one->ai_addr, one->ai_addrlen, one->ai_family, listens, timeout, reason);
    if (socket.number() >= 0) return socket;
  }
  return Descriptor(-1);
}

}  // namespace

std::unique_ptr<ByteStream> stream_of(ByteSource source) {
  if (is_gzip(source)) return std::make_unique<GzipStream>(std::move(source));
  return std::make_unique<SourceStream>(std::move(source));
}

std::unique_ptr<ByteStream> descriptor_stream(int descriptor, std::string name,
                                              const StreamOptions& options) {
  return std::make_unique<DescriptorStream>(Descriptor(descriptor), std::move(name), options);
}

std::unique_ptr<ByteStream> standard_input(const StreamOptions& options) {
  require(::isatty(STDIN_FILENO) == 0,
          "standard input is a terminal; records are expected from a pipe or a file");
  const int copy = ::dup(STDIN_FILENO);
  require(copy >= 0, "cannot read standard input: {}", std::strerror(errno));
  return descriptor_stream(copy, "standard input", options);
}

std::unique_ptr<ByteStream> connect_stream(const std::string& address,
                                           const StreamOptions& options) {
  const int timeout = milliseconds(options);
  std::string rest = address, reason;
  const bool listens = rest.starts_with("listen:");
  if (listens) rest = rest.substr(std::string_view("listen:").size());
  const bool is_unix = rest.starts_with("unix:");
  const std::size_t colon = rest.rfind(':');
  const std::string port = colon == std::string::npos ? "" : rest.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool has_port = colon != std::string::npos && colon > 0 && error == std::errc() &&
                        end == port.data() + port.size() && number > 0;
  require(is_unix || has_port,
          "{} is neither a file nor an address: HOST:PORT or unix:PATH expected, or listen: and "
          "one of these",
          in_quotes(address));
  Descriptor socket = is_unix ? unix_socket(rest.substr(5), listens, timeout, reason)
                              : tcp_socket(rest.substr(0, colon), port, listens, timeout, reason);
  require(socket.number() >= 0, "cannot {} {}: {}", listens ? "listen on" : "connect to",
          in_quotes(rest), reason);
  if (listens) {
    require(wait_ready(socket.number(), POLLIN, timeout), "{}: nobody connected for {} seconds",
            address, options.timeout_seconds);
    Descriptor peer(::accept4(socket.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (is_unix) ::unlink(rest.substr(5).c_str());  // it was made here, for one peer
    require(peer.number() >= 0, "cannot listen on {}: {}", in_quotes(rest), std::strerror(errno));
    return descriptor_stream(peer.release(), address, options);
  }
  return descriptor_stream(socket.release(), address, options);
}

}  // namespace tenon::io
