// Datasets from CSV and .npz files.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tenon/data/pipeline.h"
#include "tenon/data/table_columns.h"

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
// The same of a column to leave out.
struct IgnoredError : UserError {
  using UserError::UserError;
};

struct CsvOptions {
  std::string label = "";    // the label's column name, or its number from 1; the last column if ""
  std::string weights = "";  // the column of the samples' weights, likewise; none if ""
  Task task = Task::classification;
  std::vector<std::string> class_names = {};  // of text labels; their sorted texts if empty
  DType dtype = DType::f32;                   // of features and targets: f32 or f64
  // The columns that are features, by name and in this order; others are left out. Empty: all but
  // the label's, the weights' and the ignored ones. Without a header columns go by their places.
  std::vector<std::string> features = {};
  std::vector<std::string> ignored = {};  // columns that are left out, by name or number from 1
  char separator = '\0';     // of fields; 0: , or, if the first line has none, ; or tab
  bool are_classes = false;  // labels are classes, however many there are
};

// x: [N, features], all columns but the label's and the weights'. UserError, with the line, for
// features that are text or do not fit the type, classes that are not integers from 0 or known
// names, weights that Dataset::with_weights refuses; LabelError, WeightsError, IgnoredError.
// Columns of true and false are features of 1 and 0. UserError, too, as require_likely_classes.
// With `bad`, such rows are left out and counted, and UserError if none is left; which columns are
// text, the first row with a value in each says.
Dataset csv(const std::filesystem::path& file, const CsvOptions& options = {},
            const std::optional<BadSamples>& bad = {});

// The same with the names of the columns, if there is a header, they differ and are UTF-8.
struct NamedColumns {
  Dataset rows;
  TableColumns columns;
};
NamedColumns csv_with_columns(const std::filesystem::path& file, const CsvOptions& options = {},
                              const std::optional<BadSamples>& bad = {});

// UserError if integer labels without names look like numbers to predict: many classes, and far
// more than there are different labels, or hardly a label that is there twice.
void require_likely_classes(const Dataset& dataset);

// The arrays x and y of an .npz file, as they are, and that of the samples' weights if it is named.
// UserError if one is missing, WeightsError if it is the last.
Dataset npz(const std::filesystem::path& file, const std::string& weights = "");

}  // namespace tenon::data
