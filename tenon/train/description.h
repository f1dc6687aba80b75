// What run.json says: enough to rebuild a model of known layers and how it was trained.
#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tenon/augment/augmentation.h"
#include "tenon/base/tensor_type.h"
#include "tenon/data/normalization.h"
#include "tenon/data/table_columns.h"
#include "tenon/nn/sequential.h"
#include "tenon/optim/adam.h"
#include "tenon/optim/schedule.h"
#include "tenon/session/session.h"
#include "tenon/train/training_record.h"

namespace tenon {

struct RunDescription {
  nn::Layer model = nn::Sequential{};
  std::string loss;
  std::vector<std::string> metrics;
  optim::Optimizer optimizer = optim::Adam{};
  optim::Schedule schedule{};
  PrecisionPolicy precision = PrecisionPolicy::f32;
  augment::Augmentation augmentation{};
  DType dtype = DType::f32;
  std::uint64_t seed = 0;
  TensorType x_row, y_row;  // of one raw sample and its label
  data::Normalization normalization;
  std::vector<std::string> class_names;
  data::TableColumns columns;
  TrainingRecord training;
};

nlohmann::json to_json(const RunDescription& description);
// UserError "FILE: KEY: REASON" for JSON that to_json cannot have given: a key missing or unknown,
// a value of another type or out of range, a layer, loss, metric or optimizer that is not known.
RunDescription description_from_json(const nlohmann::json& json, const std::string& file);

void write_description(const std::filesystem::path& file, const RunDescription& description);
RunDescription read_description(const std::filesystem::path& file);

// A run that goes on was asked for something that does not continue it.
struct ResumeError : UserError {
  using UserError::UserError;
};

// ResumeError naming the first key in which a run that goes on differs from how it began, UserError
// if its data changed. The number of epochs and the dataset's name may differ.
// `before` is what run.json says: parts that a user wrote are compared by what they show.
void require_same_run(const nlohmann::json& before, const RunDescription& now,
                      const std::string& file);

// A layer with its attributes, parts and shared weights; of the weights only who shares them.
nlohmann::json layer_to_json(const nn::Layer& layer);
// `place` is where the JSON stands in the file, for messages ("model").
nn::Layer layer_from_json(const nlohmann::json& json, const std::string& file,
                          const std::string& place);

}  // namespace tenon
