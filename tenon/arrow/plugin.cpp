// The plugin libtenon_arrow.so: Parquet and Arrow IPC files by Apache Arrow's own library, behind
// one C function. It is built where Arrow's headers are found and opened at run time where it is
// needed.
#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "tenon/io/arrow_abi.h"

namespace {

// Batches that are checked in full before anybody reads them: offsets and indices that a file holds
// may lead anywhere.
class CheckedBatches : public arrow::RecordBatchReader {
 public:
  CheckedBatches(std::shared_ptr<arrow::RecordBatchReader> batches, std::shared_ptr<void> owner,
                 const char* column)
      : batches_(std::move(batches)), owner_(std::move(owner)), schema_(batches_->schema()) {
    const int found = column == nullptr ? -1 : schema_->GetFieldIndex(column);
    if (found < 0) return;
    only_ = {found};
    schema_ = arrow::schema({schema_->field(found)});
  }
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(batches_->ReadNext(batch));
    if (*batch == nullptr) return arrow::Status::OK();
    if (!only_.empty()) {
      ARROW_ASSIGN_OR_RAISE(*batch, (*batch)->SelectColumns(only_));
    }
    return (*batch)->ValidateFull();
  }

 private:
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<void> owner_;  // what the batches are read from
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> only_;
};

using Batches = std::shared_ptr<arrow::RecordBatchReader>;

arrow::Result<Batches> open_parquet(const std::string& path, const char* column) {
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(path));
  ARROW_ASSIGN_OR_RAISE(auto opened, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
  std::shared_ptr<parquet::arrow::FileReader> reader = std::move(opened);
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  const int found = column == nullptr ? -1 : schema->GetFieldIndex(column);
  std::vector<int> groups(static_cast<std::size_t>(reader->num_row_groups()));
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
  // Columns are numbered by leaves; with nested ones, fields and leaves differ.
  const bool flat = reader->parquet_reader()->metadata()->num_columns() == schema->num_fields();
  if (found >= 0 && flat) {
    ARROW_ASSIGN_OR_RAISE(Batches one, reader->GetRecordBatchReader(groups, {found}));
    return std::make_shared<CheckedBatches>(std::move(one), reader, column);
  }
  ARROW_ASSIGN_OR_RAISE(Batches all, reader->GetRecordBatchReader(groups));
  return std::make_shared<CheckedBatches>(std::move(all), reader, column);
}

// The batches of an IPC file, which are found by its footer.
class FileBatches : public arrow::RecordBatchReader {
 public:
  explicit FileBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file)
      : file_(std::move(file)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (next_ == file_->num_record_batches()) {
      *batch = nullptr;
      return arrow::Status::OK();
    }
    return file_->ReadRecordBatch(next_++).Value(batch);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

arrow::Result<Batches> open_ipc(const std::string& path, const char* column) {
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(path));
  constexpr char kFileMagic[] = "ARROW1";
  ARROW_ASSIGN_OR_RAISE(const auto start, file->ReadAt(0, sizeof(kFileMagic) - 1));
  Batches batches;
  if (start->ToString() == kFileMagic) {
    ARROW_ASSIGN_OR_RAISE(auto opened, arrow::ipc::RecordBatchFileReader::Open(file));
    batches = std::make_shared<FileBatches>(std::move(opened));
  } else {
    ARROW_RETURN_NOT_OK(file->Seek(0));
    ARROW_ASSIGN_OR_RAISE(batches, arrow::ipc::RecordBatchStreamReader::Open(file));
  }
  return std::make_shared<CheckedBatches>(std::move(batches), nullptr, column);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int tenon_arrow_open(const char* path, int kind,
                                                                       const char* column,
                                                                       struct ArrowArrayStream* out,
                                                                       char* error,
                                                                       std::uint64_t error_bytes) {
  std::string reason;
  try {
    arrow::Result<Batches> batches =
        kind == 0 ? open_parquet(path, column) : open_ipc(path, column);
    const arrow::Status status =
        batches.ok() ? arrow::ExportRecordBatchReader(*std::move(batches), out) : batches.status();
    if (status.ok()) return 0;
    reason = status.message();
  } catch (const std::exception& thrown) {  // nothing may pass through the C function
    reason = thrown.what();
  }
  const std::size_t length = std::min<std::size_t>(reason.size(), error_bytes - 1);
  std::memcpy(error, reason.data(), length);
  error[length] = '\0';
  return 1;
}
