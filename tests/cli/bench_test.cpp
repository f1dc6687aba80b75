// tenon bench: what it reports, that its steps are those of a training, and what it refuses.
#include <algorithm>
#include <sstream>

#include "cli_testing.h"
#include "tenon/base/text.h"
#include "tenon/io/npz.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

class Bench : public testing::Test {
 protected:
  static constexpr std::int64_t kFeatures = 8;

  // Two classes of `rows` samples.
  std::string write_samples(std::int64_t rows) const {
    HostTensor x({DType::f32, {rows, kFeatures}}), y({DType::i32, {rows}});
    for (std::int64_t i = 0; i < rows; ++i) {
      y.as<std::int32_t>()[static_cast<std::size_t>(i)] = i * i % 3 == 1 ? 1 : 0;
      for (std::int64_t j = 0; j < kFeatures; ++j)
        x.as<float>()[static_cast<std::size_t>(i * kFeatures + j)] =
            static_cast<float>((i * 13 + j * 7) % 29) / 29 - 0.5f;
    }
    const std::string file = folder_ / fmt::format("samples{}.npz", rows);
    io::write_npz(file, {{"x", x}, {"y", y}});
    return "npz:" + file;
  }
  // What `more` gives comes in place of the usual.
  std::vector<std::string> step_arguments(const std::string& command, const std::string& data,
                                          const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {command};
    for (const auto& [option, value] : std::vector<std::pair<std::string, std::string>>{
             {"--model", "mlp"},
             {"--hidden", "10"},
             {"--loss", "binary_cross_entropy_from_logits"},
             {"--data", data},
             {"--device", "reference"},
             {"--threads", "2"},
             {"--batch-size", "8"},
             {"--learning-rate", "0.01"}})
      if (std::ranges::find(more, option) == more.end())
        arguments.insert(arguments.end(), {option, value});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  Outcome bench(const std::string& data, std::vector<std::string> more) const {
    more.insert(more.end(), {"--seconds", "0.05"});
    return run_tenon(step_arguments("bench", data, more));
  }
  Json bench_json(const std::string& data, std::vector<std::string> more) const {
    more.emplace_back("--json");
    const Outcome outcome = bench(data, more);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
  }
  // Losses of the first steps of a training, by their number.
  std::vector<double> train_losses(const std::string& data, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"--epochs",    "9", "--metrics", "none",
                                          "--log-every", "1", "--out",     folder_ / "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tenon(step_arguments("train", data, arguments));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    std::istringstream rows(io::read_text_file(folder_ / "run/metrics.csv"));
    std::vector<double> losses{0};  // there is no step 0
    for (std::string row; std::getline(rows, row);) {
      const std::vector<std::string_view> cells = split(row, ',');
      if (cells[2] == "train") losses.push_back(std::stod(std::string(cells[3])));
    }
    return losses;
  }
  const TemporaryFolder folder_;
};

TEST_F(Bench, ReportsTimeLossesAndMemory) {
  const Json bench = bench_json(write_samples(100), {"--device", "cpu", "--losses-at", "1,10,100"});
  ASSERT_TRUE(bench.is_object());
  EXPECT_EQ(bench["command"], "bench");
  EXPECT_EQ(bench["mode"], "train");
  EXPECT_EQ(bench["model"], "mlp:hidden=10");
  EXPECT_EQ(bench["device"], "cpu");
  EXPECT_EQ(bench["version"], "0.1.0");
  EXPECT_EQ(bench["batch_size"], 8);
  EXPECT_EQ(bench["steps_per_call"], 1);
  EXPECT_EQ(bench["threads"], 2);
  EXPECT_GE(bench["blocks"], 1);
  EXPECT_GE(bench["steps"], bench["blocks"]);
  EXPECT_GT(bench["seconds_per_step"]["minimum"], 0);
  EXPECT_LE(bench["seconds_per_step"]["minimum"], bench["seconds_per_step"]["median"]);
  ASSERT_EQ(bench["losses"].size(), 3u);
  EXPECT_LT(bench["losses"]["100"], bench["losses"]["1"]);
  EXPECT_GT(bench["first_step_seconds"], 0);
  EXPECT_GE(bench["data_seconds"], 0);
  EXPECT_GT(bench["compile_seconds"], 0);
  const Json& memory = bench["memory"];
  // The weights and two moments of each.
  EXPECT_GE(memory["predicted_bytes"], 3 * 4 * (kFeatures * 10 + 10 + 10 + 1));
  EXPECT_LT(memory["predicted_bytes"].get<std::int64_t>(),
            (1 << 20) + memory["compile_memory_bytes"].get<std::int64_t>());
  EXPECT_GE(memory["measured_bytes"], 0);
  EXPECT_LT(memory["measured_bytes"], memory["process_peak_bytes"]);
  EXPECT_EQ(memory["at_step"], 100);
  EXPECT_GE(memory["compiler_peak_bytes"], 0);
}

TEST_F(Bench, StepsAreThoseOfATraining) {
  const std::string data = write_samples(32);
  ASSERT_EQ(run_tenon(step_arguments("train", data, {"--epochs", "0", "--out", folder_ / "first"}))
                .status,
            0);
  const std::string weights = folder_ / "first/model.safetensors";
  for (const bool shuffle : {false, true}) {
    std::vector<std::string> more = {"--initial", weights};
    if (!shuffle) more.emplace_back("--no-shuffle");
    more.emplace_back("--seed");
    more.emplace_back("4");  // of the order; the weights are given
    std::vector<std::string> of_train = more, of_bench = more;
    of_train.emplace_back("--overwrite");
    of_bench.insert(of_bench.end(), {"--losses-at", "1,2,6,10,30"});
    const std::vector<double> expected = train_losses(data, of_train);
    ASSERT_EQ(expected.size(), 37u);
    const Json bench = bench_json(data, of_bench);
    ASSERT_EQ(bench["losses"].size(), 5u);
    for (const auto& [step, loss] : bench["losses"].items())
      EXPECT_NEAR(loss, expected[std::stoul(step)], 1e-6) << step << " " << shuffle;
  }
}

TEST_F(Bench, SeveralStepsOfACallAreTheSame) {
  const std::string data = write_samples(37);
  for (const char* device : {"cpu", "reference"}) {
    const std::vector<std::string> more = {"--device", device, "--losses-at", "1,2,9,20"};
    std::vector<std::string> many = more;
    many.insert(many.end(), {"--steps-per-call", "5"});
    const Json one_by_one = bench_json(data, more), together = bench_json(data, many);
    EXPECT_EQ(together["steps_per_call"], 5);
    EXPECT_EQ(together["losses"], one_by_one["losses"]) << device;
  }
}

TEST_F(Bench, BatchesAreWhole) {
  // 5 samples are left over: the fifth step begins anew, which a training does at the sixth.
  const std::string data = write_samples(37);
  const std::vector<double> expected =
      train_losses(data, {"--no-shuffle", "--optimizer", "sgd", "--rate-for", "*=0"});
  const Json bench = bench_json(data, {"--no-shuffle", "--optimizer", "sgd", "--rate-for", "*=0",
                                       "--losses-at", "1,4,5,8,9"});
  for (const auto& [step, place] : {std::pair("1", 1), std::pair("4", 4), std::pair("5", 1),
                                    std::pair("8", 4), std::pair("9", 1)})
    EXPECT_NEAR(bench["losses"][step], expected[static_cast<std::size_t>(place)], 1e-6) << step;
}

TEST_F(Bench, ForwardOnlyHasNoLosses) {
  const Json bench = bench_json(write_samples(20), {"--device", "cpu", "--forward-only"});
  ASSERT_TRUE(bench.is_object());
  EXPECT_EQ(bench["mode"], "forward");
  EXPECT_EQ(bench["losses"], Json::object());
  EXPECT_GE(bench["steps"], bench["blocks"]);
  EXPECT_GT(bench["seconds_per_step"]["minimum"], 0);
  EXPECT_GT(bench["memory"]["predicted_bytes"], 0);
  EXPECT_GE(bench["memory"]["at_step"], 1);
}

TEST_F(Bench, TextForPeople) {
  const Outcome train = bench(write_samples(20), {"--losses-at", "2"});
  EXPECT_EQ(train.status, 0) << train.err;
  for (const char* part :
       {"step ", "blocks", "samples per second", "loss of step 2 ", "time to first", "compiling",
        "memory predicted", "memory measured", "peak of the process", "none ran"})
    EXPECT_NE(train.out.find(part), std::string::npos) << part << "\n" << train.out;
  const Outcome forward = bench(write_samples(20), {"--forward-only"});
  EXPECT_NE(forward.out.find("prediction "), std::string::npos) << forward.out << forward.err;
  EXPECT_EQ(forward.out.find("loss"), std::string::npos) << forward.out;
}

TEST_F(Bench, RefusesWhatCannotBeTimed) {
  const std::string data = write_samples(20);
  const std::vector<std::pair<std::vector<std::string>, std::string>> calls = {
      {{"--losses-at", "0"},
       "--losses-at: expected a whole number from 1 to 1000000000, got \"0\""},
      {{"--losses-at", "ten"},
       "--losses-at: expected a whole number from 1 to 1000000000, got \"ten\""},
      {{"--losses-at", "1,"},
       "--losses-at: expected a whole number from 1 to 1000000000, got \"\""},
      {{"--losses-at", "10,1"}, "--losses-at: steps in rising order expected, got 1 after 10"},
      {{"--losses-at", "2,2"}, "--losses-at: steps in rising order expected, got 2 after 2"},
      {{"--losses-at", "1", "--forward-only"},
       "--losses-at: excludes --forward-only: predictions have no losses"},
      {{"--steps-per-call", "4", "--forward-only"},
       "--steps-per-call: excludes --forward-only: each prediction is a call"},
      {{"--memory-limit", "1GiB", "--forward-only"},
       "--memory-limit: excludes --forward-only: it limits what training takes"},
      {{"--steps-per-call", "0"},
       "--steps-per-call: expected a whole number from 1 to 1048576, got \"0\""},
      {{"--epochs", "1"}, "bench: unknown option \"--epochs\""},
      {{"--beta3", "1"}, "bench: unknown option \"--beta3\"; did you mean \"--beta1\"?"},
      {{"--momentum", "0.5"}, "--momentum: adam has none; it is for sgd, rmsprop and muon"}};
  for (const auto& [more, message] : calls) {
    const Outcome outcome = bench(data, more);
    EXPECT_EQ(outcome.status, 2) << message;
    EXPECT_EQ(outcome.err, "error: " + message + "\n");
    EXPECT_EQ(outcome.out, "");
  }
  for (const char* seconds : {"0", "-1", "2e6"})
    EXPECT_EQ(run_tenon(step_arguments("bench", data, {"--seconds", seconds})).err,
              fmt::format("error: --seconds: a number above 0, at most 1000000, expected, got "
                          "\"{}\"\n",
                          seconds));
  EXPECT_EQ(run_tenon({"bench", "--model", "mlp"}).err,
            "error: --data: missing, as in --data fashion-mnist\n");
  EXPECT_EQ(run_tenon({"bench", "--model", "mlp", "--data", "stream:-"}).err,
            "error: --data: stream:- comes once; data that is held in memory is timed\n");
  const Outcome few = bench(write_samples(7), {});
  EXPECT_EQ(few.status, 2);
  EXPECT_NE(few.err.find("error: --batch-size: "), std::string::npos) << few.err;
  EXPECT_NE(few.err.find(" has 7 samples, fewer than a batch of 8\n"), std::string::npos)
      << few.err;
}

}  // namespace
}  // namespace tenon::cli
