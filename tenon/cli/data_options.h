// The options that say which data a command reads.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "tenon/cli/options.h"
#include "tenon/data/table_columns.h"

namespace tenon::cli {

struct DataOptions {
  std::string data;
  std::string label;
  std::string sample_weights;  // FILE.npy, or a column of a CSV file, or an array of an .npz file
  std::string classes;         // how many, or their names; empty: as the data has them
  std::string task;            // empty: by the data; "reconstruction": samples are the targets
  std::string image_size;      // "HEIGHTxWIDTH"; empty: as the files are
  std::string image_channels;  // "1", "3" or empty: 3
  std::string bad_samples = "stop";
  std::string tokenizer;    // "char", "byte" or a file; empty: by the data
  std::int64_t window = 0;  // 0: as the model has it, or 64
  std::int64_t frames = 0;  // of a sound; 0: as the model has it, or the files
  std::string ignore_columns, delimiter;
  data::TableColumns columns;  // of a trained model; no option
};

// --data, --label, --task and those of image folders and texts; the first may be one that the
// command needs.
void add_data_options(CLI::App& app, DataOptions& options, Need need);
// --classes, of data that is streamed and does not say its classes itself.
void add_classes_option(CLI::App& app, DataOptions& options);
// Whether a column of the data is the label, and its values leave open what it is.
bool has_columns(const std::string& name);
// OptionError unless the name is one that data::open knows; `option` is where it was given.
void check_data_name(std::string_view option, const std::string& name);
// "HEIGHTxWIDTH". UserError for anything else.
std::pair<std::int64_t, std::int64_t> parse_sides(const std::string& text);
// "0", "1", ... for a number, else the names; empty for an empty text. UserError for anything else.
std::vector<std::string> parse_classes(const std::string& text);

// Options that every command with a device has.
struct DeviceOptions {
  std::string device = "cpu";
  std::int64_t threads = 0;
};
void add_device_options(CLI::App& app, DeviceOptions& options);

}  // namespace tenon::cli
