#include <exception>

#include "readers.h"
#include "tenon/data/tfrecord.h"
#include "tenon/io/example.h"
#include "tenon/io/file.h"
#include "tenon/io/png.h"
#include "tenon/io/safetensors.h"
#include "tenon/io/tfrecord.h"
#include "tenon/nn/dense.h"
#include "tenon/nn/sequential.h"
#include "tenon/train/compression.h"
#include "tenon/train/cost_record.h"
#include "tenon/train/csv_log.h"
#include "tenon/train/trainer.h"
#include "work_files.h"

namespace tenon::fuzz {
namespace {

// Runs them all. If each raised a UserError, raises that of the last one.
void run_all(const std::vector<std::function<void()>>& parts) {
  bool was_read = false;
  std::exception_ptr last;
  for (const std::function<void()>& part : parts) {
    try {
      part();
      was_read = true;
    } catch (const UserError&) {
      last = std::current_exception();
    }
  }
  if (!was_read) std::rethrow_exception(last);
}

void make_samples(const data::Pipeline& pipeline) {
  const data::Pass pass = pipeline.open();
  while (const std::optional<data::LazySample> lazy = pass()) (void)data::make_sample(*lazy);
}

std::vector<std::string> example_records() {
  const HostTensor image = filled({DType::u8, {4, 5, 3}}, 50);
  const std::vector<std::byte> png = io::png_bytes(image);
  const std::string pixels(reinterpret_cast<const char*>(png.data()), png.size());
  return {io::example_bytes({{"x", std::vector<float>{1, 2.5f, -3, 0, 1e30f, 6}},
                             {"y", std::vector<std::int64_t>{-1}}}),
          io::example_bytes({{"x", std::vector<std::string>{std::string(24, '\1')}},
                             {"y", std::vector<std::string>{"cat"}}}),
          io::example_bytes(
              {{"x", std::vector<std::string>{pixels}}, {"y", std::vector<std::int64_t>{300}}}),
          io::example_bytes({{"x", std::vector<std::int64_t>{1, 2, 3, 4, 5, 255}},
                             {"y", std::vector<float>{0.5f}}})};
}

// The bytes as the one record of a file, with checksums that are right, read in every way that
// features become samples.
void read_as_samples(const std::string& record) {
  const std::string file = written("a.tfrecord", io::tfrecord_bytes(record)).string();
  std::vector<std::function<void()>> parts = {
      [&] { make_samples(data::tfrecord(file, data::suggest_features(file))); },
      [&] { (void)data::texts_of_feature(file, "y"); }};
  const std::vector<data::FeatureSpec> xs = {{"x", {DType::f32, {2, -1}}},
                                             {"x", {DType::u8, {-1}}},
                                             {"x", {DType::boolean, {3, 2}}},
                                             {"x", {DType::bf16, {0, -1}}},
                                             {"x", {}, 3},
                                             {"x", {}, 1}};
  const std::vector<data::FeatureSpec> ys = {
      {"y", {DType::i32, {}}}, {"y", {DType::u64, {1}}}, {"y", {DType::f16, {-1}}}};
  for (const data::FeatureSpec& x : xs)
    for (const data::FeatureSpec& y : ys)
      parts.emplace_back([&file, &x, &y] {
        make_samples(data::tfrecord(
            file, {.x = x, .y = y, .class_names = {"dog", "cat"}, .max_record_bytes = 1 << 20}));
      });
  run_all(parts);
}

// Two weights, one without its zeros and one as it is, and the same with shapes that are extreme.
std::vector<std::string> sparse_weights() {
  const auto file_with = [](const std::string& shape, HostTensor values, HostTensor bits) {
    const std::filesystem::path path = work_folder() / "made.safetensors";
    io::write_safetensors(path,
                          {{"dense/kernel.values", std::move(values)},
                           {"dense/kernel.bits", std::move(bits)},
                           {"dense/bias", make_tensor<float>({2}, {1, 2})}},
                          {{"shape dense/kernel", shape}, {"note", "of a test"}});
    return io::read_text_file(path);
  };
  const HostTensor values = make_tensor<float>({3}, {1, -2, 0.5f});
  const HostTensor bits = make_tensor<std::uint8_t>({2}, {0b10000001, 0b00000010});
  return {file_with("5,2", values, bits), file_with("10", values, bits),
          file_with("0,4611686018427387904", HostTensor({DType::f32, {0}}),
                    HostTensor({DType::u8, {0}}))};
}

// The checksum, if the file has one, is made to be of what it says no more: the reader takes files
// without one, so that changes of the data reach what is behind it.
void read_sparse(const std::string& content) {
  std::string changed = content;
  if (const std::size_t at = changed.find("\"checksum\""); at != std::string::npos)
    changed[at + 1] = 'C';
  run_all({[&] { (void)read_sparse_weights(written("a.safetensors", content)); },
           [&] { (void)read_sparse_weights(written("a.safetensors", changed)); }});
}

std::vector<std::string> cost_files() {
  const std::filesystem::path path = work_folder() / "made.json";
  CostReport cost;
  cost.seconds_per_epoch = 1.5;
  cost.samples_per_second = 1e6;
  cost.seconds_per_step = 1e-9;
  cost.memory = {.state = 1 << 20, .inputs = 3, .results = 8, .constants = 0, .arena = 1ll << 40};
  std::vector<std::string> files;
  for (const CostReport& one : {CostReport{}, cost}) {
    write_cost(path, one);
    files.push_back(io::read_text_file(path));
  }
  return files;
}

// What a log that is there becomes after an epoch of a run that goes on, whose fit began so many
// times before (a fit may end within its first epoch).
std::string log_after(const std::string& content, int begins) {
  static Trainer trainer(nn::Sequential{nn::Dense{2}},
                         {.metrics = {nn::accuracy}, .device = "reference", .threads = 1});
  const std::filesystem::path path = written("log.csv", content);
  CsvLog log(path.string(), true);
  for (int i = 0; i < begins; ++i) log.on_fit_begin(trainer);
  EpochInfo epoch;
  epoch.epoch = 2;
  epoch.metrics = {{"accuracy", 0.25}};
  log.on_epoch_end(trainer, epoch);
  return io::read_text_file(path);
}

void go_on_with_log(const std::string& content) {
  const std::string once = log_after(content, 1);
  if (log_after(content, 2) != once) throw std::runtime_error("rows are there twice");
  try {
    (void)log_after(once, 1);
  } catch (const UserError& error) {
    throw std::runtime_error(std::string("a log that was written is refused: ") + error.what());
  }
}

}  // namespace

std::vector<Reader> record_readers() {
  return {
      {"TfRecordSamples", example_records(), read_as_samples},
      {"SparseWeights", sparse_weights(), read_sparse},
      {"CostRecord", cost_files(),
       [](const std::string& content) { (void)read_cost(written("cost.json", content)); }},
      {"CsvLog",
       {"epoch,step,loss,accuracy,seconds\n1,4,0.75,0.5,0.01\n2,8,0.5,0.5,0.01\n",
        "epoch,step,loss,accuracy,validation_loss,validation_accuracy,seconds\n1,4,0.7,0.5,,,1\n",
        ""},
       go_on_with_log},
  };
}

}  // namespace tenon::fuzz
