#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "readers.h"
#include "tenon/data/arrow.h"
#include "tenon/data/cifar10.h"
#include "tenon/data/tables.h"
#include "tenon/data/text.h"
#include "tenon/data/web_dataset.h"
#include "tenon/io/file.h"

namespace tenon::fuzz {
namespace {

// A folder for the files that readers open, removed at the end of the program.
const std::filesystem::path& work_folder() {
  struct Folder {
    std::filesystem::path path;
    Folder() {
      std::string pattern = (std::filesystem::temp_directory_path() / "tenon_fuzz_XXXXXX").string();
      path = ::mkdtemp(pattern.data());
    }
    ~Folder() {
      std::error_code error;
      std::filesystem::remove_all(path, error);
    }
  };
  static const Folder folder;
  return folder.path;
}

// Overwritten in place: not flushed to the disk each time.
std::filesystem::path written(const std::string& name, const std::string& content) {
  const std::filesystem::path path = work_folder() / name;
  std::filesystem::create_directories(path.parent_path());
  if (std::FILE* file = std::fopen(path.c_str(), "w")) {
    std::fwrite(content.data(), 1, content.size(), file);
    std::fclose(file);
  }
  return path;
}

std::string io_file(const char* name) {
  return io::read_text_file(std::string(TENON_TEST_DATA "/io/") + name);
}

void read_cifar10(const std::string& content) {
  const std::string good(3073, '\1');
  for (const char* name : {"data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                           "data_batch_5.bin", "test_batch.bin"})
    if (!std::filesystem::exists(work_folder() / "cifar" / name))
      written(std::string("cifar/") + name, good);
  written("cifar/data_batch_1.bin", content);
  (void)data::cifar10(work_folder() / "cifar");
}

void read_shards(const std::string& content) {
  const data::Generator samples =
      data::web_dataset(written("a.tar", content).string(), {.max_file_bytes = 1 << 24}).samples();
  while (samples()) {
  }
}

}  // namespace

std::vector<Reader> data_readers() {
  std::vector<Reader> readers = {
      {"Cifar10", {std::string(2 * 3073, '\2'), std::string(3073, '\0')}, read_cifar10},
      {"CsvDataset",
       {"a,b,kind\n1,2.5,cat\n-3,4,dog\n", "1,2,0\n3,4,1\n"},
       [](const std::string& content) { (void)data::csv(written("a.csv", content)); }},
      {"Text",
       {"plain text, and \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 with it"},
       [](const std::string& content) {
         (void)data::text_characters(written("a.txt", content), 4);
       }},
      {"WebDataset", {io_file("shard-0.tar")}, read_shards},
  };
  if (!io::has_arrow()) return readers;
  const auto read_table = [](const char* name, io::ArrowKind kind) {
    return [name, kind](const std::string& content) {
      (void)data::arrow_table(written(name, content), kind);
    };
  };
  readers.push_back({"Parquet",
                     {io_file("table.parquet"), io_file("text.parquet")},
                     read_table("a.parquet", io::ArrowKind::parquet)});
  readers.push_back({"ArrowIpc",
                     {io_file("table.arrow"), io_file("table.arrows")},
                     read_table("a.arrow", io::ArrowKind::ipc)});
  return readers;
}

}  // namespace tenon::fuzz
