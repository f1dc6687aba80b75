// CSV files on the command line: columns by name, labels that are no classes, separators.
#include <algorithm>

#include "cli_testing.h"

namespace tenon::cli {
namespace {

class TableColumns : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    io::write_file_atomically(folder_ / name, text);
  }
  Outcome train(const std::string& file, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {
        "train", "--model",  "mlp",       "--hidden",     "4", "--data", "csv:" + file, "--epochs",
        "2",     "--device", "reference", "--batch-size", "8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  // Of the run in the folder `run`.
  Outcome evaluate(const std::string& file, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {
        "evaluate", folder_ / "run", "--data", "csv:" + (folder_ / file), "--device", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  Outcome predict(const std::string& file, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"predict",      folder_ / "run", "--input",
                                          folder_ / file, "--device",      "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  const TemporaryFolder folder_;
};

TEST_F(TableColumns, AreMatchedByNameInARun) {
  std::string rows = "across,down,kind,note\n", exchanged = "note,kind,down,across\n",
              renamed = "across,depth,kind\n", plain;
  for (int i = 0; i < 24; ++i) {
    const double across = (i % 3 == 1 ? 4 : 0) + (i * 7 % 11) / 11.0;
    const double down = (i % 3 == 2 ? 4 : 0) + (i * 5 % 11) / 11.0;
    rows += fmt::format("{},{},{},n{}\n", across, down, i % 3, i);
    exchanged += fmt::format(",{},{},{}\n", i % 3, down, across);
    renamed += fmt::format("{},{},{}\n", across, down, i % 3);
    plain += fmt::format("{},{}\n", across, down);
  }
  write("rows.csv", rows);
  write("exchanged.csv", exchanged);
  write("renamed.csv", renamed);
  write("plain.csv", plain);
  const std::vector<std::string> options = {"--label", "kind", "--ignore-columns", "note"};
  std::vector<std::string> to_run = options;
  to_run.insert(to_run.end(), {"--out", folder_ / "run"});
  const Outcome trained = train(folder_ / "rows.csv", to_run);
  ASSERT_EQ(trained.status, 0) << trained.err;
  const auto run = nlohmann::json::parse(io::read_text_file(folder_ / "run/run.json"));
  EXPECT_EQ(run["columns"], nlohmann::json({{"features", {"across", "down"}}, {"label", "kind"}}));

  const Outcome judged = evaluate("rows.csv");
  ASSERT_EQ(judged.status, 0) << judged.err;
  EXPECT_EQ(evaluate("exchanged.csv").out, judged.out);
  const std::string missing =
      folder_ / "renamed.csv: no column is named \"down\", which the model takes\n";
  EXPECT_EQ(evaluate("renamed.csv").err, "error: " + missing);
  const Outcome predicted = predict("rows.csv");
  ASSERT_EQ(predicted.status, 0) << predicted.err;
  EXPECT_EQ(predict("exchanged.csv").out, predicted.out);
  EXPECT_EQ(predict("plain.csv").out, predicted.out);
  EXPECT_EQ(predict("renamed.csv").err, "error: " + missing);
  EXPECT_EQ(predict("renamed.csv").status, 1);

  std::vector<std::string> validated = options;
  validated.insert(validated.end(), {"--validation", "csv:" + (folder_ / "renamed.csv")});
  EXPECT_EQ(train(folder_ / "rows.csv", validated).err, "error: " + missing);
  validated.back() = "csv:" + (folder_ / "exchanged.csv");
  EXPECT_EQ(train(folder_ / "rows.csv", validated).status, 0);

  write("other.csv", "across,down,class\n1,2,0\n");
  const Outcome unlabelled = evaluate("other.csv");
  EXPECT_EQ(unlabelled.status, 2);
  EXPECT_EQ(unlabelled.err, fmt::format("error: --label: {}: no column is named \"kind\"\n",
                                        folder_ / "other.csv"));
  EXPECT_EQ(evaluate("other.csv", {"--label", "class"}).status, 0);
}

TEST_F(TableColumns, ARunThatKnowsNoNamesGoesOnAndIsJudged) {
  write_points(folder_ / "points.csv", 24);
  ASSERT_EQ(train(folder_ / "points.csv", {"--out", folder_ / "run"}).status, 0);
  auto run = nlohmann::json::parse(io::read_text_file(folder_ / "run/run.json"));
  run.erase("columns");
  io::write_file_atomically(folder_ / "run/run.json", run.dump());
  EXPECT_EQ(evaluate("points.csv").status, 0);
  const Outcome again =
      run_tenon({"train", "--model", "mlp", "--hidden", "4", "--data",
                 "csv:" + (folder_ / "points.csv"), "--epochs", "3", "--device", "reference",
                 "--batch-size", "8", "--out", folder_ / "run", "--resume"});
  EXPECT_EQ(again.status, 0) << again.err;
  run["columns"] = {{"features", {"across"}}};
  io::write_file_atomically(folder_ / "run/run.json", run.dump());
  EXPECT_EQ(evaluate("points.csv").err,
            fmt::format("error: {}: columns.features: 2 different names expected, for samples of "
                        "f32[2]\n",
                        folder_ / "run/run.json"));
}

TEST_F(TableColumns, IntegersToPredictAreRefusedAsClasses) {
  std::string rows = "rooms,price\n";
  for (int i = 0; i < 200; ++i) rows += fmt::format("{},{}\n", i % 7, 100000 + i * 5);
  write("prices.csv", rows);
  const Outcome refused = train(folder_ / "prices.csv");
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.err,
            fmt::format("error: {}: 100996 classes in 200 rows; --task regression, or --task "
                        "classification if they are classes (CsvOptions::task and are_classes in "
                        "C++)\n",
                        folder_ / "prices.csv"));
  EXPECT_EQ(train(folder_ / "prices.csv", {"--task", "regression"}).status, 0);
  std::string years = "a,year\n";
  for (int i = 0; i < 60; ++i) years += fmt::format("{},{}\n", i % 7, i);
  write("years.csv", years);
  EXPECT_EQ(train(folder_ / "years.csv").status, 1);
  EXPECT_EQ(train(folder_ / "years.csv", {"--task", "classification"}).status, 0);
}

TEST_F(TableColumns, OptionsOfTablesAreChecked) {
  write("a.csv", "a;b;y\n1;2;0\n3;4;1\n");
  EXPECT_EQ(train(folder_ / "a.csv").status, 0);
  EXPECT_EQ(train(folder_ / "a.csv", {"--delimiter", ";"}).status, 0);
  EXPECT_EQ(train(folder_ / "a.csv", {"--delimiter", ","}).status, 1);
  EXPECT_EQ(train(folder_ / "a.csv", {"--delimiter", "x"}).err,
            "error: --delimiter: \",\", \";\" or \"tab\" expected, got \"x\"\n");
  const Outcome outcome = train(folder_ / "a.csv", {"--ignore-columns", "c"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, fmt::format("error: --ignore-columns: {}: no column is named \"c\"\n",
                                     folder_ / "a.csv"));
  EXPECT_EQ(
      run_tenon({"train", "--model", "mlp", "--data", "fashion-mnist", "--ignore-columns", "c"})
          .err,
      "error: --ignore-columns: only for csv:, parquet: and arrow: data, the data is "
      "\"fashion-mnist\"\n");
}

}  // namespace
}  // namespace tenon::cli
