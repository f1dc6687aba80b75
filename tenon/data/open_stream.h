// Opens data that can be streamed by the text that names it on the command line.
#pragma once
#include <optional>
#include <string>

#include "tenon/data/open.h"
#include "tenon/data/source.h"

namespace tenon::data {

// wav:FOLDER, parquet:FILE, arrow:FILE, tfrecord:GLOB, tar:GLOB and stream:ADDRESS, read and
// decoded as samples are asked for; none for what lies in memory as a whole (data::open opens
// that). Bad samples are left out and counted if the options say so. UserError for what the source
// refuses.
std::optional<Stream> open_stream(const std::string& name, const OpenOptions& options = {});

// The same for batches without padding: samples of another type than the first one are bad, too.
std::optional<Stream> open_equal_stream(const std::string& name, const OpenOptions& options = {});

// That with a test set in memory, and for images:FOLDER as well, whose images are decoded when they
// are asked for. Bad samples of the stream are left to whoever reads it: Pipeline::skip_bad.
struct OpenedStream {
  Stream train;
  std::optional<Dataset> test = {};
  TableColumns columns = {};               // of a table
  std::optional<ImageFolder> images = {};  // what the stream is of, of images:FOLDER
};
// The names of the columns of parquet:FILE and arrow:FILE; none of other data.
TableColumns stream_columns(const std::string& name, const OpenOptions& options);
// All images of the folder as a stream.
Stream image_stream(const ImageFolder& images);
std::optional<OpenedStream> open_streamed(const std::string& name, const OpenOptions& options = {});

// All samples of the pass of epoch 0 in memory. UserError for none, and for samples of unequal
// types.
Dataset load(const Stream& stream, int workers);

}  // namespace tenon::data
