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

struct CsvOptions {
  std::string label = "";  // the label's column name, or its number from 1; the last column if ""
  Task task = Task::classification;
  std::vector<std::string> class_names = {};  // of text labels; their sorted texts if empty
  DType dtype = DType::f32;                   // of features and targets: f32 or f64
};

// x: [N, features], all columns but the label's. UserError, with the line, for features that are
// text or do not fit the type, classes that are not integers from 0 or known names; LabelError.
Dataset csv(const std::filesystem::path& file, const CsvOptions& options = {});

// The arrays x and y of an .npz file, as they are. UserError if one is missing.
Dataset npz(const std::filesystem::path& file);

}  // namespace tenon::data
