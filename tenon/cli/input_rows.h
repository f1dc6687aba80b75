// Rows to predict, from a CSV, .npy, PNG or JPEG file, as the model takes them.
#pragma once
#include <string>

#include "tenon/base/host_tensor.h"
#include "tenon/data/table_columns.h"

namespace tenon::cli {

// [N, row...] of the row type. A single row without the leading axis is taken too; numbers convert
// to the model's element type if none loses its value, and for a model of images an image is
// resized as those of folders are. `left_out` names a CSV column that is no feature, or is empty.
// The features of `columns`, if they have names, are found by those, and other columns of a CSV
// file with a header left out. UserError naming the file and what was expected.
HostTensor read_input_rows(const std::string& file, const TensorType& row,
                           const std::string& left_out, const data::TableColumns& columns = {});

}  // namespace tenon::cli
