// Samples that another program writes to a pipe or a socket.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tenon/data/pipeline.h"
#include "tenon/io/record_stream.h"

namespace tenon::data {

struct RecordStreamOptions {
  io::StreamOptions connection = {};
  io::RecordOptions records = {};
  // The first bytes of the stream are kept as long as they are no more, so that a second look at
  // the first samples, or at all of a short stream, needs no second stream.
  std::uint64_t replay_bytes = std::uint64_t{1} << 26;
};

struct RecordStream {
  Pipeline samples;
  std::vector<std::string> class_names;
};

// The records of "-", standard input, of a file, or of an address of io::connect_stream, in their
// order; docs/data.md says what a writer sends. The stream is opened here, and read only as far as
// samples are asked for. A pass from the start takes what was kept, or connects anew; UserError in
// its first sample's turn where neither can be, for standard input and one that listens.
RecordStream record_stream(const std::string& address, const RecordStreamOptions& options = {});

}  // namespace tenon::data
