// Datasets from CSV and .npz files.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "tenon/data/dataset.h"

namespace tenon::data {

enum class Task : std::uint8_t {
  classification,  // labels are classes: integers from 0, or text
  regression,      // labels are numbers
  unlabelled,      // every column is a feature, but the one that CsvOptions::label leaves out
};

// The label asked for is no column of the file.
struct LabelError : UserError {
  using UserError::UserError;
};
// The same of sample weights.
struct WeightsError : UserError {
  using UserError::UserError;
};

struct CsvOptions {
  std::string label = "";    // the label's column name, or its number from 1; the last column if ""
  std::string weights = "";  // the column of the samples' weights, likewise; none if ""
  Task task = Task::classification;
  std::vector<std::string> class_names = {};  // of text labels; their sorted texts if empty
  DType dtype = DType::f32;                   // of features and targets: f32 or f64
};

// x: [N, features], all columns but the label's and the weights'. UserError, with the line, for
// features that are text or do not fit the type, classes that are not integers from 0 or known
// names, weights that Dataset::with_weights refuses; LabelError, WeightsError.
Dataset csv(const std::filesystem::path& file, const CsvOptions& options = {});

// The arrays x and y of an .npz file, as they are, and that of the samples' weights if it is named.
// UserError if one is missing, WeightsError if it is the last.
Dataset npz(const std::filesystem::path& file, const std::string& weights = "");

}  // namespace tenon::data
