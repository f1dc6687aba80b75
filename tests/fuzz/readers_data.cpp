#include <nlohmann/json.hpp>

#include "readers.h"
#include "tenon/data/arrow.h"
#include "tenon/data/cifar10.h"
#include "tenon/data/tables.h"
#include "tenon/data/text.h"
#include "tenon/data/tokenizer.h"
#include "tenon/data/web_dataset.h"
#include "tenon/io/file.h"
#include "tenon/nn/basic_layers.h"
#include "tenon/nn/dense.h"
#include "tenon/train/description.h"
#include "tenon/train/metric_table.h"
#include "tenon/train/name_map.h"
#include "work_files.h"

namespace tenon::fuzz {
namespace {

std::string io_file(const char* name) {
  return io::read_text_file(std::string(TENON_TEST_DATA "/io/") + name);
}

// A folder of CIFAR-10 in which one file has the content.
void read_cifar10(const std::string& folder, const std::string& file, const std::string& content) {
  const std::string good(3073, '\1');
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                           "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"})
    if (!std::filesystem::exists(work_folder() / folder / name)) written(folder + "/" + name, good);
  written(folder + "/" + file, content);
  (void)data::cifar10(work_folder() / folder);
}

void read_shards(const std::string& content) {
  const data::Generator samples =
      data::web_dataset(written("a.tar", content).string(), {.max_file_bytes = 1 << 24}).samples();
  while (samples()) {
  }
}

std::string tokenizer_file(const std::string& name) {
  return io::read_text_file(TENON_TEST_DATA "/tokenizer/" + name + ".json");
}

std::string run_json() {
  RunDescription description;
  description.model = nn::Sequential{nn::Dense{4, nn::relu}, nn::Dropout{0.5}, nn::Dense{2}};
  description.loss = "sparse_categorical_cross_entropy_from_logits";
  description.metrics = {"accuracy"};
  description.augmentation = augment::parse("flip,crop:padding=4");
  description.x_row = {DType::u8, {2, 2}};
  description.y_row = {DType::i32, {}};
  description.class_names = {"a", "b"};
  description.training = {"points", "0123456789abcdef", 10, 4, 3, false};
  return to_json(description).dump();
}

// As run.json, and as metrics.csv.
void read_run_file(const std::string& content) {
  if (content.starts_with('{')) return (void)read_description(written("run.json", content));
  constexpr std::size_t kRows = 8;
  (void)read_metrics_csv(written("metrics.csv", content), kRows, {"accuracy"});
}

}  // namespace

std::vector<Reader> data_readers() {
  std::vector<Reader> readers = {
      {"Cifar10",
       {std::string(2 * 3073, '\2'), std::string(3073, '\0')},
       [](const std::string& content) { read_cifar10("cifar", "data_batch_1.bin", content); }},
      {"Cifar10Names",
       {"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n",
        "0\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n\xc3\xa9"},
       [](const std::string& content) {
         read_cifar10("cifar_names", "batches.meta.txt", content);
       }},
      {"CsvDataset",
       {"a,b,kind\n1,2.5,cat\n-3,4,dog\n", "1,2,0\n3,4,1\n"},
       [](const std::string& content) { (void)data::csv(written("a.csv", content)); }},
      {"Text",
       {"plain text, and \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 with it"},
       [](const std::string& content) {
         (void)data::text_characters(written("a.txt", content), 4);
       }},
      {"WebDataset", {io_file("shard-0.tar")}, read_shards},
      {"TokenizerJson",
       {tokenizer_file("byte_level"), tokenizer_file("word_piece"), tokenizer_file("metaspace")},
       [](const std::string& content) {
         (void)data::tokenizer_from_json(content).encode("it's 12 \xe4\xb8\xad \xff");
       }},
      {"NameMap",
       {R"({"prefix": "net.", "ignore": ["*.count"], "weights": {
            "dense/kernel": {"from": "w", "change": "output_last", "part": [1, 3]},
            "block{_i}/kernel": "blocks.{2*i+1}.w"}})"},
       [](const std::string& content) {
         const std::vector<std::string> weights = {"dense/kernel", "block/kernel",
                                                   "block_1/kernel"};
         (void)find_name_map(written("map.json", content).string(), weights);
       }},
      {"RunFolder",
       {run_json(), "step,epoch,split,loss,accuracy\n1,1,train,0.5,0.25\n"},
       read_run_file},
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
