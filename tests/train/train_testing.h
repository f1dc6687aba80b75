// Helpers of the training tests: small data, small models, temporary folders, expected messages.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "../error_of.h"
#include "tenon/base/error.h"
#include "tenon/data/memory.h"
#include "tenon/io/file.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/normalization.h"
#include "tenon/nn/sequential.h"
#include "tenon/train/trainer.h"

namespace tenon {

// Devices that the tests of whole fits run on.
inline std::vector<std::string> tested_devices() { return {"reference", "cpu"}; }

// Points of three classes around (0, 0), (4, 0) and (0, 4), in turn.
inline data::Dataset blobs(std::int64_t size) {
  HostTensor x({DType::f32, {size, 2}}), y({DType::i32, {size}});
  for (std::int64_t i = 0; i < size; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const std::int64_t label = i % 3;
    const auto jitter = [&](std::int64_t k) {
      return static_cast<float>((i * 7 + k * 5) % 11) / 11 - 0.5f;
    };
    x.as<float>()[2 * row] = (label == 1 ? 4.0f : 0.0f) + jitter(1);
    x.as<float>()[2 * row + 1] = (label == 2 ? 4.0f : 0.0f) + jitter(2);
    y.as<std::int32_t>()[row] = static_cast<std::int32_t>(label);
  }
  return {"blobs", std::move(x), data::Array(std::move(y)), {"left", "right", "top"}};
}

inline nn::Sequential small_model() { return {nn::Dense{8, nn::relu}, nn::Dense{3}}; }

// Everything that has state: moments, running statistics, random keys.
inline nn::Sequential model_with_state() {
  return {nn::Dense{8, nn::relu}, nn::BatchNorm{}, nn::Dropout{0.25}, nn::Dense{3}};
}

inline TrainerOptions small_options(const std::string& device = "reference") {
  TrainerOptions options;
  options.optimizer = optim::Adam{.learning_rate = 0.05};
  options.metrics = {nn::accuracy};
  options.device = device;
  options.seed = 1;
  options.threads = 1;
  return options;
}

// A folder that is removed with its content at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenon_train_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Stops a fit after so many of its steps; remembers what it saw.
class StopAfter final : public Callback {
 public:
  explicit StopAfter(std::int64_t steps) : left_(steps) {}
  bool on_step_end(Trainer&, const StepInfo& info) override {
    steps.push_back(info.step);
    losses.push_back(info.loss());
    return --left_ > 0;
  }
  std::vector<std::int64_t> steps;
  std::vector<double> losses;

 private:
  std::int64_t left_;
};

}  // namespace tenon
