// Rows of Parquet and Arrow IPC files: in memory, or streamed batch by batch.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "tenon/data/pipeline.h"
#include "tenon/data/tables.h"
#include "tenon/io/arrow_table.h"

namespace tenon::data {

struct TableStream {
  Pipeline rows;
  std::vector<std::string> class_names;
};

// As data::csv: x [N, features] of all columns but the label's and the ignored ones, in their
// order, or of the features that are named; the label by name or number from 1, the last one by
// default. Text labels (and dictionaries) are classes. UserError as ArrowBatches, for features that
// are text, not finite or beyond the type, with row and column, and for classes that are not whole
// numbers from 0 or known names; LabelError.
Dataset arrow_table(const std::filesystem::path& file, io::ArrowKind kind,
                    const CsvOptions& options = {});

// The same, read again for every pass, one batch of the file (a row group, mostly) in memory at a
// time. A row that cannot be used, by a missing value or one that is not finite, is a UserError in
// its turn. The names of text labels are found by reading their column once if they are not given.
TableStream arrow_rows(const std::filesystem::path& file, io::ArrowKind kind,
                       const CsvOptions& options = {});

// The names of the columns that become features and label; none if two are alike or not UTF-8.
TableColumns arrow_columns(const std::filesystem::path& file, io::ArrowKind kind,
                           const CsvOptions& options = {});

// The rows of a table that is open, for one pass; names are needed for text labels.
Dataset arrow_rows_of(const io::ArrowBatch& batch, const std::string& name,
                      const std::vector<std::string>& columns, const CsvOptions& options);

}  // namespace tenon::data
