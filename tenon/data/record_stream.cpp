#include "tenon/data/record_stream.h"

#include <mutex>

#include "tenon/data/finite.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

using SharedRecord = std::shared_ptr<const io::RawRecord>;

// One stream, read from the front. The first connection, whose header gave the class names, serves
// whichever pass comes to its next record; what was read first is kept for the others. A pass that
// finds neither opens a connection of its own, so that passes never disturb each other.
class RecordFeed {
 public:
  RecordFeed(std::string address, RecordStreamOptions options)
      : address_(std::move(address)), options_(std::move(options)), reader_(connect()) {}

  std::vector<std::string> class_names() const { return reader_->class_names(); }

  struct Taken {
    std::shared_ptr<const io::RecordReader> reader;
    SharedRecord record;  // null at the end
  };

  // Record `number` of the pass that asks; `own` is its connection, if it has one.
  Taken take(std::uint64_t number, std::shared_ptr<io::RecordReader>& own) {
    if (own != nullptr) return {own, next_of(*own)};
    {
      const std::lock_guard lock(mutex_);
      if (number < kept_.size()) return {reader_, kept_[static_cast<std::size_t>(number)]};
      if (number == read_) {
        SharedRecord record = next_of(*reader_);
        if (record == nullptr) return {reader_, nullptr};
        ++read_;
        keep(record);
        return {reader_, std::move(record)};
      }
    }
    require(can_connect_again(),
            "{}: it can be read only once, and more than {} bytes were not kept for a second pass; "
            "cache its samples, or train for one epoch",
            reader_->name(), options_.replay_bytes);
    own = connect();
    for (std::uint64_t passed = 0; passed < number; ++passed)
      if (next_of(*own) == nullptr) break;
    return {own, next_of(*own)};
  }

 private:
  bool can_connect_again() const { return address_ != "-" && !address_.starts_with("listen:"); }

  std::shared_ptr<io::RecordReader> connect() const {
    std::unique_ptr<io::ByteStream> stream;
    if (address_ == "-")
      stream = io::standard_input(options_.connection);
    else if (io::file_exists(address_))
      stream = io::stream_of(io::ByteSource::open(address_));
    else
      stream = io::connect_stream(address_, options_.connection);
    return std::make_shared<io::RecordReader>(std::move(stream), options_.records);
  }

  static SharedRecord next_of(io::RecordReader& reader) {
    std::optional<io::RawRecord> record = reader.next();
    return record ? std::make_shared<const io::RawRecord>(*std::move(record)) : nullptr;
  }

  void keep(const SharedRecord& record) {
    if (!keeps_all_) return;
    kept_bytes_ += record->bytes.size() + sizeof(io::RawRecord);
    keeps_all_ = kept_bytes_ <= options_.replay_bytes;
    if (keeps_all_)
      kept_.push_back(record);
    else
      kept_ = {};
  }

  const std::string address_;
  const RecordStreamOptions options_;
  std::mutex mutex_;
  const std::shared_ptr<io::RecordReader> reader_;  // the first connection
  std::uint64_t read_ = 0;                          // records of it
  std::vector<SharedRecord> kept_;
  std::uint64_t kept_bytes_ = 0;
  bool keeps_all_ = true;  // that were read so far
};

}  // namespace

RecordStream record_stream(const std::string& address, const RecordStreamOptions& options) {
  const auto feed = std::make_shared<RecordFeed>(address, options);
  Pipeline samples([feed](std::uint64_t epoch) -> Pass {
    return [feed, epoch, next = std::uint64_t{0},
            own = std::shared_ptr<io::RecordReader>()]() mutable -> std::optional<LazySample> {
      RecordFeed::Taken taken = feed->take(next, own);
      if (taken.record == nullptr) return std::nullopt;
      const SamplePlace place{epoch, static_cast<std::int64_t>(next++)};
      const auto origin = [reader = taken.reader, number = taken.record->number] {
        return fmt::format("{}: record {}", reader->name(), number);
      };
      auto make = [taken = std::move(taken), origin] {
        io::RecordTensors tensors = taken.reader->parse(*taken.record);
        for (const auto& [name, tensor] : {std::pair("x", &tensors.x), std::pair("y", &tensors.y)})
          if (first_not_finite(*tensor)) require_finite(*tensor, origin() + ": " + name);
        return std::optional(Sample{std::move(tensors.x), std::move(tensors.y)});
      };
      return LazySample{place, std::move(make), origin};
    };
  });
  return {std::move(samples), feed->class_names()};
}

namespace {

// Every extent may differ from sample to sample.
TensorType any_extents(TensorType type) {
  for (std::int64_t& extent : type.shape) extent = -1;
  return type;
}

HostTensor first_row(const HostTensor& tensor) {
  return tensor.reshaped({tensor.shape().begin() + 1, tensor.shape().end()});
}

void write_cache(const Pipeline& source, const std::filesystem::path& file, int workers) {
  constexpr int kAhead = 64;
  PipelineBatches batches = source.batches(1, {.workers = workers, .ahead = kAhead});
  std::optional<io::RecordWriter> writer;
  while (const Batch* batch = batches.next()) {
    const HostTensor x = first_row(batch->x), y = first_row(batch->y);
    if (!writer)
      writer.emplace(file, io::RecordHeader{any_extents(x.type()), any_extents(y.type())});
    writer->add(x, y);
  }
  if (!writer) writer.emplace(file, io::RecordHeader{});
  writer->commit();
}

// The file, written by the first one who needs it.
class FileCache {
 public:
  FileCache(Pipeline source, std::filesystem::path path, int workers)
      : source_(std::move(source)), path_(std::move(path)), workers_(workers) {}

  std::shared_ptr<const io::RecordFile> file() {
    const std::lock_guard lock(mutex_);
    if (file_ == nullptr) {
      if (!io::file_exists(path_)) write_cache(source_, path_, workers_);
      file_ = std::make_shared<const io::RecordFile>(path_);
    }
    return file_;
  }

 private:
  const Pipeline source_;
  const std::filesystem::path path_;
  const int workers_;
  std::mutex mutex_;
  std::shared_ptr<const io::RecordFile> file_;
};

}  // namespace

Pipeline Pipeline::cache(const std::filesystem::path& file, int workers) const {
  const auto cache = std::make_shared<FileCache>(*this, file, workers);
  return Pipeline([cache](std::uint64_t epoch) -> Pass {
    return [file = cache->file(), epoch,
            next = std::int64_t{0}]() mutable -> std::optional<LazySample> {
      if (next == file->size()) return std::nullopt;
      const std::int64_t index = next++;
      return LazySample{{epoch, index}, [file, index] {
                          io::RecordTensors tensors = file->read(index);
                          return std::optional(Sample{std::move(tensors.x), std::move(tensors.y)});
                        }};
    };
  });
}

}  // namespace tenon::data
