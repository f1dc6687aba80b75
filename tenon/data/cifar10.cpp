#include "tenon/data/cifar10.h"

#include <algorithm>

#include "tenon/base/text.h"
#include "tenon/io/byte_source.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

constexpr std::int64_t kSide = 32, kPlanes = 3, kCifarClasses = 10;
constexpr std::size_t kPlaneBytes = kSide * kSide;
constexpr std::size_t kRecordBytes = 1 + kPlanes * kPlaneBytes;
constexpr std::uint64_t kMostRecords = 10000;

struct Records {
  std::string file;
  std::vector<std::byte> bytes;

  std::size_t count() const { return bytes.size() / kRecordBytes; }
};

Records read_records(const std::filesystem::path& path) {
  const io::ByteSource source = io::ByteSource::open(path);
  require(source.size() > 0 && source.size() % kRecordBytes == 0,
          "{}: {} bytes are not a whole number of records of {} bytes", path.string(),
          source.size(), kRecordBytes);
  require(source.size() <= kMostRecords * kRecordBytes,
          "{}: {} records; a file of CIFAR-10 has {} at most", path.string(),
          source.size() / kRecordBytes, kMostRecords);
  return {path.string(), source.read_all(kMostRecords * kRecordBytes)};
}

// Appends the records to the rows from `row` on, planes turned into pixels of three channels.
void unpack(const Records& records, std::size_t row, std::uint8_t* images, std::uint8_t* labels) {
  for (std::size_t i = 0; i < records.count(); ++i, ++row) {
    const std::byte* record = records.bytes.data() + i * kRecordBytes;
    const auto label = static_cast<std::uint8_t>(record[0]);
    if (label >= kCifarClasses)
      io::fail_at(records.file, i * kRecordBytes, "record {} has the label {}; 0 to {} expected", i,
                  label, kCifarClasses - 1);
    labels[row] = label;
    std::uint8_t* image = images + row * (kRecordBytes - 1);
    for (std::size_t plane = 0; plane < kPlanes; ++plane)
      for (std::size_t pixel = 0; pixel < kPlaneBytes; ++pixel)
        image[pixel * kPlanes + plane] =
            static_cast<std::uint8_t>(record[1 + plane * kPlaneBytes + pixel]);
  }
}

Dataset read_set(const std::filesystem::path& folder, const std::vector<std::string>& files,
                 const std::vector<std::string>& class_names) {
  std::vector<Records> parts;
  std::size_t count = 0;
  for (const std::string& file : files) {
    parts.push_back(read_records(folder / file));
    count += parts.back().count();
  }
  const auto rows = static_cast<std::int64_t>(count);
  HostTensor images({DType::u8, {rows, kSide, kSide, kPlanes}}), labels({DType::u8, {rows}});
  std::size_t row = 0;
  for (const Records& part : parts) {
    unpack(part, row, images.as<std::uint8_t>().data(), labels.as<std::uint8_t>().data());
    row += part.count();
  }
  return {folder.string(), std::move(images), Array(std::move(labels)), class_names};
}

std::vector<std::string> read_class_names(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "batches.meta.txt";
  if (!io::file_exists(path))
    return {"airplane", "automobile", "bird",  "cat",  "deer",
            "dog",      "frog",       "horse", "ship", "truck"};
  constexpr std::uint64_t kMostBytes = 1 << 16;
  const std::string text = io::read_text_file(path, kMostBytes);
  std::vector<std::string> names;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) names.emplace_back(line);
  }
  require(names.size() == kCifarClasses, "{}: {} class names; {} lines expected", path.string(),
          names.size(), kCifarClasses);
  return names;
}

}  // namespace

TrainTest cifar10(const std::filesystem::path& folder) {
  require(io::folder_exists(folder), "cannot read {}: there is no such folder", folder.string());
  const std::vector<std::string> names = read_class_names(folder);
  std::vector<std::string> training;
  for (int number = 1; number <= 5; ++number)
    training.push_back(fmt::format("data_batch_{}.bin", number));
  return {read_set(folder, training, names), read_set(folder, {"test_batch.bin"}, names)};
}

}  // namespace tenon::data
