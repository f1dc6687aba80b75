// Opens a dataset by the text that names it on the command line.
#pragma once
#include <optional>
#include <string>

#include "tenon/data/dataset.h"
#include "tenon/data/tables.h"

namespace tenon::data {

struct OpenOptions {
  CsvOptions csv = {};
  std::int64_t window = 64;                  // characters of a text window
  std::vector<std::string> vocabulary = {};  // of text, if it is known already
};

struct Opened {
  Dataset train;
  std::optional<Dataset> test;
};

// fashion-mnist, fashion-mnist:FOLDER, idx:FOLDER, csv:FILE, npz:FILE or text:FILE; only the first
// three have a test set. UserError for anything else, and whatever the source refuses.
Opened open(const std::string& name, const OpenOptions& options = {});

}  // namespace tenon::data
