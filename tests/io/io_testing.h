// Helpers of the io tests: bytes from text, temporary folders, expected messages.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "../error_of.h"
#include "tenon/base/error.h"
#include "tenon/io/byte_source.h"

namespace tenon::io {

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto span = std::as_bytes(std::span(text));
  return {span.begin(), span.end()};
}

inline ByteSource source_of(std::string_view text, std::string name = "sample") {
  return {std::move(name), bytes_of(text)};
}

// A file that tests/data/make_io_samples.py wrote.
inline std::filesystem::path sample_path(const std::string& name) {
  return std::filesystem::path(TENON_TEST_DATA) / "io" / name;
}

// Every strict prefix of a valid file must be refused with a message that names the file.
inline void expect_every_prefix_refused(std::string_view whole,
                                        const std::function<void(const ByteSource&)>& read) {
  read(source_of(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string message = error_of([&] { read(source_of(whole.substr(0, length))); });
    EXPECT_TRUE(message.starts_with("sample: ")) << length << ": " << message;
  }
}

// Every change of one byte must give a value or a UserError, nothing else.
inline void expect_every_byte_change_survived(std::string_view whole,
                                              const std::function<void(const ByteSource&)>& read) {
  std::string changed(whole);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const unsigned char flip : {0x01, 0x80, 0xff, 0x20}) {
      changed[i] = static_cast<char>(static_cast<unsigned char>(whole[i]) ^ flip);
      try {
        read(source_of(changed));
      } catch (const UserError& error) {
        EXPECT_TRUE(std::string_view(error.what()).starts_with("sample: ")) << error.what();
      }
    }
    changed[i] = whole[i];
  }
}

// A folder that is removed with its content at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenon_io_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace tenon::io
