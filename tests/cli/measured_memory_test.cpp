// What a step is told to take before it runs is what a process that makes a model and trains it
// takes: the peak of its resident memory, as the system counts it.
#include <algorithm>

#include "cli_testing.h"
#include "tenon/base/text.h"
#include "tenon/io/npz.h"
#include "tests/allocations/count_allocations.h"

namespace tenon::cli {
namespace {

#ifdef TENON_COUNTS_ALLOCATIONS  // sanitizers keep memory of their own beside all other

struct MeasuredModel {
  std::string name;
  std::vector<std::string> options;
  TensorType row, label;
  std::int64_t largest = 1;  // ids and labels are below
  std::int64_t batch_size = 0;
};

std::ostream& operator<<(std::ostream& out, const MeasuredModel& model) {
  return out << model.name;
}

const MeasuredModel kMeasured[] = {
    {"mlp",
     {"--model", "mlp", "--hidden", "512,512", "--loss",
      "sparse_categorical_cross_entropy_from_logits"},
     {DType::f32, {784}},
     {DType::i32, {}},
     10,
     128},
    {"lenet", {"--model", "lenet"}, {DType::u8, {28, 28}}, {DType::i32, {}}, 10, 64},
    {"residual_network",
     {"--model", "resnet20"},
     {DType::u8, {32, 32, 3}},
     {DType::i32, {}},
     10,
     128},
    {"lstm",
     {"--model", "char-lstm:units=128/128"},
     {DType::i32, {64}},
     {DType::i32, {64}},
     60,
     32},
    {"gpt",
     {"--model", "gpt:layers=2:heads=4:width=128"},
     {DType::i32, {64}},
     {DType::i32, {64}},
     60,
     16},
    // Deep and narrow: making the step takes more than running it.
    {"deep_residual_network",
     {"--model", "resnet56:width=4"},
     {DType::u8, {32, 32, 3}},
     {DType::i32, {}},
     10,
     4},
    {"deep_gpt",
     {"--model", "gpt:layers=8:heads=2:width=32"},
     {DType::i32, {64}},
     {DType::i32, {64}},
     60,
     4},
};

HostTensor numbers(const TensorType& row, std::int64_t count, std::int64_t largest) {
  TensorType type = row;
  type.shape.insert(type.shape.begin(), count);
  HostTensor values = filled(type, 0);
  for (std::int64_t i = 0; i < values.size(); ++i) {
    const std::int64_t value = (i * i + i / 7) % largest;
    const auto place = static_cast<std::size_t>(i);
    if (row.dtype == DType::i32)
      values.as<std::int32_t>()[place] = static_cast<std::int32_t>(value);
    else if (row.dtype == DType::u8)
      values.as<std::uint8_t>()[place] = static_cast<std::uint8_t>(i % 251);
    else
      values.as<float>()[place] = static_cast<float>(i % 13) / 13;
  }
  return values;
}

class MeasuredMemory : public testing::TestWithParam<MeasuredModel> {
 protected:
  nlohmann::json bench(const std::string& data) const {
    const MeasuredModel& model = GetParam();
    std::vector<std::string> arguments = {"bench", "--data", data, "--threads", "2"};
    arguments.insert(arguments.end(), model.options.begin(), model.options.end());
    arguments.insert(arguments.end(), {"--batch-size", fmt::format("{}", model.batch_size),
                                       "--losses-at", "1,20", "--seconds", "0.05", "--json"});
    const pid_t child = start_tenon(arguments, folder_ / "out", folder_ / "err",
                                    {"TENON_CACHE_DIR=" + (folder_ / "cache")});
    EXPECT_EQ(exit_status(child), 0) << io::read_text_file(folder_ / "err");
    return nlohmann::json::parse(io::read_text_file(folder_ / "out"), nullptr, false);
  }
  const TemporaryFolder folder_;
};

TEST_P(MeasuredMemory, IsWhatWasPredicted) {
  const MeasuredModel& model = GetParam();
  const std::string file = folder_ / "samples.npz";
  const std::int64_t samples = 2 * model.batch_size;
  io::write_npz(file, {{"x", numbers(model.row, samples, model.largest)},
                       {"y", numbers(model.label, samples, model.largest)}});
  // A first start plans and compiles; what it made is there for the second.
  for (const char* start : {"first", "second"}) {
    const nlohmann::json result = bench("npz:" + file);
    ASSERT_TRUE(result.is_object());
    const nlohmann::json& memory = result["memory"];
    ASSERT_TRUE(memory["measured_bytes"].is_number()) << "the system does not tell";
    EXPECT_GE(memory["at_step"], 20);
    const auto predicted = memory["predicted_bytes"].get<std::int64_t>(),
               measured = memory["measured_bytes"].get<std::int64_t>();
    EXPECT_GT(predicted, 1 << 22) << "too little to tell a wrong prediction from a right one";
    EXPECT_LE(std::abs(measured - predicted), std::max<std::int64_t>(1 << 20, predicted / 100))
        << start << " start: " << bytes_text(predicted) << " predicted, " << bytes_text(measured)
        << " measured";
  }
}

INSTANTIATE_TEST_SUITE_P(Models, MeasuredMemory, testing::ValuesIn(kMeasured),
                         [](const auto& model) { return model.param.name; });

#endif

}  // namespace
}  // namespace tenon::cli
