// Helpers of the data tests: expected messages, temporary folders, small datasets.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "../error_of.h"
#include "tenon/base/error.h"
#include "tenon/data/memory.h"

namespace tenon::data {

// x: [size, 2] with row i holding 2i and 2i + 1; labels i % 3.
inline Dataset numbered(std::int64_t size) {
  HostTensor x({DType::f32, {size, 2}}), y({DType::i32, {size}});
  for (std::int64_t i = 0; i < size; ++i) {
    x.as<float>()[static_cast<std::size_t>(2 * i)] = static_cast<float>(2 * i);
    x.as<float>()[static_cast<std::size_t>(2 * i + 1)] = static_cast<float>(2 * i + 1);
    y.as<std::int32_t>()[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % 3);
  }
  return {"numbered", std::move(x), Array(std::move(y))};
}

// Whether every row of the batch is the row of numbered() that its index says.
inline bool rows_fit_indices(const Batch& batch) {
  if (batch.x.shape() != Shape{batch.size(), 2} || batch.y.shape() != Shape{batch.size()})
    return false;
  for (std::size_t i = 0; i < batch.indices.size(); ++i) {
    if (batch.x.as<float>()[2 * i] != static_cast<float>(2 * batch.indices[i])) return false;
    if (batch.x.as<float>()[2 * i + 1] != static_cast<float>(2 * batch.indices[i] + 1))
      return false;
    if (batch.y.as<std::int32_t>()[i] != batch.indices[i] % 3) return false;
  }
  return true;
}

// A folder that is removed with its content at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenon_data_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tenon::data
