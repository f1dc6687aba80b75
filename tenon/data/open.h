// Opens a dataset by the text that names it on the command line.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tenon/data/dataset.h"
#include "tenon/data/image_folder.h"
#include "tenon/data/tables.h"
#include "tenon/data/tokenizer.h"
#include "tenon/data/wav_folder.h"

namespace tenon::data {

// A kind of data: the name before the colon, and what follows it.
struct SourceKind {
  std::string_view name;
  std::string_view place;   // "FOLDER", "FILE", "GLOB" or "ADDRESS"
  bool needs_place = true;  // false: the name alone will do
};
std::span<const SourceKind> source_kinds();
// "fashion-mnist, idx:FOLDER, ...": the kinds as a user writes them.
std::string source_forms();

struct OpenOptions {
  CsvOptions csv = {};                       // its `weights` names an array of an .npz file, too
  std::int64_t window = 64;                  // tokens of a text window
  std::vector<std::string> vocabulary = {};  // of text by characters, if it is known already
  std::optional<Tokenizer> tokenizer = {};   // of text; by characters if there is none
  ImageFolderOptions images = {};
  WavFolderOptions sounds = {};
  std::optional<BadSamples> bad_samples = {};  // leaves out and counts what cannot be used
  int image_workers = 1;
};

struct Opened {
  Dataset train;
  std::optional<Dataset> test;
  std::optional<Tokenizer> tokenizer = {};  // of text
  TableColumns columns = {};                // of a table, where they have names
};

// fashion-mnist, fashion-mnist:FOLDER, idx:FOLDER and cifar10:FOLDER, which have a test set;
// images:FOLDER, which has one if its sub-folders `train` and `test` hold the classes; csv:FILE,
// npz:FILE, text:FILE; and, read into memory as a whole, what open_stream streams: wav:FOLDER,
// parquet:FILE, arrow:FILE, tfrecord:GLOB, tar:GLOB, stream:ADDRESS. Bad samples can be left out of
// those, of images: and of csv:. UserError for anything else, and whatever the source refuses.
Opened open(const std::string& name, const OpenOptions& options = {});

}  // namespace tenon::data
