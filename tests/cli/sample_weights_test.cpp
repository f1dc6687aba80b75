// Weights of samples by option: files of numbers, columns of tables, arrays.
#include <algorithm>

#include "cli_testing.h"
#include "tenon/data/tables.h"
#include "tenon/io/npy.h"
#include "tenon/io/npz.h"

namespace tenon::cli {
namespace {

class SampleWeightOptions : public testing::Test {
 protected:
  static constexpr int kRows = 31;
  void SetUp() override {
    write_points(points_, kRows);
    const data::Dataset data = data::csv(points_);
    const HostTensor x = data.x().tensor(), y = data.y().tensor();
    HostTensor weights({DType::f32, {kRows}});
    std::string table = "across,down,class,worth\n";
    for (std::size_t i = 0; i < kRows; ++i) {
      weights.as<float>()[i] = static_cast<float>(i % 4) / 2;
      table += fmt::format("{},{},{},{}\n", x.as<float>()[2 * i], x.as<float>()[2 * i + 1],
                           y.as<std::int32_t>()[i], weights.as<float>()[i]);
    }
    io::write_npy(file_, weights);
    io::write_file_atomically(table_, table);
    io::write_npz(arrays_, {{"x", x}, {"y", y}, {"w", weights}});
  }
  // `data`: "csv:FILE".
  Outcome train(const std::string& data, const std::string& run,
                const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = train_arguments(points_, folder_ / run, more);
    *(std::ranges::find(arguments, "--data") + 1) = data;
    return run_tenon(arguments);
  }
  std::string model(const std::string& run) const {
    return io::read_text_file(folder_ / run + "/model.safetensors");
  }
  std::string first_error(const Outcome& outcome) const {
    return outcome.err.substr(0, outcome.err.find('\n'));
  }

  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv", table_ = folder_ / "table.csv",
                    arrays_ = folder_ / "arrays.npz", file_ = folder_ / "weights.npy";
};

TEST_F(SampleWeightOptions, AreTheSameFromFileColumnAndArray) {
  const auto runs = std::vector<std::pair<std::string, std::vector<std::string>>>{
      {"csv:" + points_, {"--sample-weights", file_}},
      {"csv:" + table_, {"--sample-weights", "worth"}},
      {"csv:" + table_, {"--sample-weights", "4", "--label", "class"}},
      {"npz:" + arrays_, {"--sample-weights", "w"}}};
  ASSERT_EQ(train("csv:" + points_, "plain", {"--validation", "0.2"}).status, 0);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    std::vector<std::string> more = runs[i].second;
    more.insert(more.end(), {"--validation", "0.2"});
    const Outcome outcome = train(runs[i].first, fmt::format("run{}", i), more);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(model(fmt::format("run{}", i)), model("run0"));
    EXPECT_NE(model(fmt::format("run{}", i)), model("plain"));
  }
  // evaluate takes them, too, and tells other losses without.
  const auto loss = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"evaluate", folder_ / "run0", "--device", "reference",
                                          "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.status == 0 ? nlohmann::json::parse(outcome.out).at("loss").get<double>() : 0;
  };
  const double of_file = loss({"--data", "csv:" + points_, "--sample-weights", file_});
  EXPECT_EQ(loss({"--data", "csv:" + table_, "--sample-weights", "worth"}), of_file);
  EXPECT_NE(loss({"--data", "csv:" + points_}), of_file);
}

TEST_F(SampleWeightOptions, BelongToTheData) {
  const std::vector<std::string> options = {"--sample-weights", file_};
  ASSERT_EQ(train("csv:" + points_, "run", options).status, 0);
  EXPECT_EQ(first_error(train("csv:" + points_, "run", {"--resume"})),
            "error: " + (folder_ / "run/run.json") +
                ": the run cannot go on: its data has changed (other samples, labels, weights or "
                "order, or made by workers then and not now)");
}

TEST_F(SampleWeightOptions, ThatDoNotFitAreNamed) {
  const auto error = [&](const std::string& data, const std::vector<std::string>& more,
                         int status) {
    const Outcome outcome = train(data, "refused", more);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    return first_error(outcome);
  };
  const std::string csv = "csv:" + points_;
  io::write_npy(folder_ / "few.npy", HostTensor({DType::f32, {kRows - 1}}));
  HostTensor bad({DType::f64, {kRows}});
  bad.as<double>()[3] = -1;
  io::write_npy(folder_ / "bad.npy", bad);
  EXPECT_EQ(error(csv, {"--sample-weights", folder_ / "few.npy"}, 2),
            "error: --sample-weights: " + (folder_ / "few.npy") + ": dataset \"" + points_ +
                "\": sample weights must be 31 numbers, one for each sample, got f32[30]");
  EXPECT_EQ(error(csv, {"--sample-weights", folder_ / "bad.npy"}, 2),
            "error: --sample-weights: " + (folder_ / "bad.npy") + ": dataset \"" + points_ +
                "\": sample weight number 3 is -1; weights are finite and not negative");
  EXPECT_EQ(error(csv, {"--sample-weights", folder_ / "none.npy"}, 1),
            "error: cannot read " + (folder_ / "none.npy") + ": No such file or directory");
  EXPECT_EQ(error("csv:" + table_, {"--sample-weights", "wort"}, 2),
            "error: --sample-weights: " + table_ +
                ": no column is named \"wort\"; did you mean \"worth\"?");
  EXPECT_EQ(error("csv:" + table_, {"--sample-weights", "worth", "--label", "worth"}, 2),
            "error: --sample-weights: " + table_ + ": column \"worth\" is the label");
  EXPECT_EQ(error("npz:" + arrays_, {"--sample-weights", "v"}, 2),
            "error: --sample-weights: " + arrays_ +
                ": no array named \"v\"; there are: \"w\", \"x\", \"y\"");
  EXPECT_EQ(error("tar:" + arrays_, {"--sample-weights", "v"}, 2),
            "error: --sample-weights: only csv:FILE and npz:FILE have columns or arrays to choose "
            "from, the data is \"tar:" +
                arrays_ + "\"; give a FILE.npy");
  EXPECT_EQ(error(csv, {"--sample-weights", file_, "--workers", "1"}, 2),
            "error: --sample-weights: is for data in memory; leave --workers out");
}

}  // namespace
}  // namespace tenon::cli
