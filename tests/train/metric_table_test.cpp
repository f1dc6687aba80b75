#include "tenon/train/metric_table.h"

#include <limits>

#include "tenon/train/checkpoint.h"
#include "tenon/train/curves.h"
#include "train_testing.h"

namespace tenon {
namespace {

MetricTable sample_table() {
  MetricTable table;
  table.metrics = {"accuracy"};
  table.add({3, 1, false}, std::vector<double>{0.1, 0.5});
  table.add({3, 1, true}, std::vector<double>{1.0 / 3, 1});
  table.add({6, 2, false}, std::vector<double>{std::numeric_limits<double>::quiet_NaN(), 0});
  return table;
}

constexpr std::string_view kSampleText =
    "step,epoch,split,loss,accuracy\n"
    "3,1,train,0.1,0.5\n"
    "3,1,validation,0.3333333333333333,1\n"
    "6,2,train,nan,0\n";

TEST(MetricTable, IsWrittenAndReadToTheBit) {
  EXPECT_EQ(metrics_csv(sample_table()), kSampleText);
  const TemporaryFolder folder;
  const std::string file = folder / "metrics.csv";
  io::write_file_atomically(file, std::string(kSampleText) + "7,3,tr");
  EXPECT_EQ(metrics_csv(read_metrics_csv(file, 100, {"accuracy"})), kSampleText);
  const MetricTable two = read_metrics_csv(file, 2, {"accuracy"});
  ASSERT_EQ(two.rows.size(), 2u);
  EXPECT_EQ(two.values_of(1)[0], 1.0 / 3);
  EXPECT_TRUE(two.rows[1].is_validation);
}

TEST(MetricTable, LinesThatAreNoRowsAreNamed) {
  const TemporaryFolder folder;
  const std::string file = folder / "metrics.csv";
  const auto message = [&](const std::string& text) {
    io::write_file_atomically(file, text);
    return error_of([&] { read_metrics_csv(file, 9, {"accuracy"}); });
  };
  EXPECT_EQ(message("step,epoch,split,loss\n"),
            file +
                ": line 1: \"step,epoch,split,loss,accuracy\" expected, found "
                "\"step,epoch,split,loss\"");
  const std::string header = "step,epoch,split,loss,accuracy\n";
  for (const std::string row : {"1,1,train,0.5", "x,1,train,0.5,1", "1,1,test,0.5,1",
                                "1,1,train,0.5,", "1,1,train,1,1,1", ""})
    EXPECT_EQ(message(header + "1,1,train,1,1\n" + row + "\n"),
              fmt::format("{}: line 3: \"{}\" is no row of metrics", file, row));
}

TEST(MetricsLog, AppendsRowByRow) {
  const TemporaryFolder folder;
  const std::string file = folder / "metrics.csv";
  MetricTable table = sample_table();
  table.shorten(1);
  MetricsLog log(file, table);
  log.add({3, 1, true}, std::vector<double>{1.0 / 3, 1});
  log.add({6, 2, false}, std::vector<double>{std::numeric_limits<double>::quiet_NaN(), 0});
  log.flush();
  EXPECT_EQ(io::read_text_file(file), kSampleText);
}

// Rows of the file of a fit, without their values.
std::vector<std::string> rows_of_fit(const FitOptions& base, bool has_validation) {
  const TemporaryFolder folder;
  FitOptions options = base;
  options.run_folder = folder / "run";
  if (has_validation) options.validation = blobs(3);
  Trainer(small_model(), small_options()).fit(blobs(10), options);
  std::vector<std::string> rows;
  std::string text = io::read_text_file(RunFiles{options.run_folder}.metrics());
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    // Up to the third comma.
    std::size_t comma = line.find(',');
    for (int i = 0; i < 2; ++i) comma = line.find(',', comma + 1);
    rows.push_back(line.substr(0, comma));
    start = end + 1;
  }
  return rows;
}

TEST(MetricsOfAFit, OneRowPerEpochAndSplit) {
  EXPECT_EQ(rows_of_fit({.epochs = 2, .batch_size = 4}, true),
            (std::vector<std::string>{"step,epoch,split", "3,1,train", "3,1,validation",
                                      "6,2,train", "6,2,validation"}));
}

TEST(MetricsOfAFit, EveryStepIfAsked) {
  EXPECT_EQ(rows_of_fit({.epochs = 2, .batch_size = 4, .log_every = 1}, false),
            (std::vector<std::string>{"step,epoch,split", "1,1,train", "2,1,train", "3,1,train",
                                      "4,2,train", "5,2,train", "6,2,train"}));
  EXPECT_EQ(rows_of_fit({.epochs = 2, .batch_size = 4, .log_every = 2}, true),
            (std::vector<std::string>{"step,epoch,split", "2,1,train", "3,1,validation",
                                      "4,2,train", "6,2,train", "6,2,validation"}));
}

TEST(MetricsOfAFit, HoldTheLossOfEachStep) {
  const TemporaryFolder folder;
  StopAfter recorder(100);
  FitOptions options{.epochs = 1, .batch_size = 4, .run_folder = folder / "run", .log_every = 1};
  options.callbacks = {&recorder};
  Trainer(small_model(), small_options()).fit(blobs(10), options);
  const MetricTable table =
      read_metrics_csv(RunFiles{options.run_folder}.metrics(), 100, {"accuracy"});
  ASSERT_EQ(table.rows.size(), recorder.losses.size());
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    EXPECT_EQ(table.values_of(i)[0], recorder.losses[i]);
}

TEST(Curves, DrawLossAndMetricsOfBothSplits) {
  MetricTable table = sample_table();
  table.add({6, 2, true}, std::vector<double>{0.2, 0.75});
  const std::string svg = curves_svg(table, "a <run>");
  EXPECT_TRUE(svg.starts_with("<svg xmlns="));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find(">a &lt;run&gt;</text>"), std::string::npos);
  for (const char* text :
       {">loss</text>", ">accuracy</text>", ">train</text>", ">validation</text>", ">step</text>"})
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(Curves, AnyValuesGiveAPicture) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const std::vector<double>& losses : std::vector<std::vector<double>>{
           {}, {0}, {1e300, -1e300}, {infinity, 1}, {1, 1 + 1e-16}, {-5, -5}, {1e-320, 0}}) {
    MetricTable table;
    for (std::size_t i = 0; i < losses.size(); ++i)
      table.add({static_cast<std::int64_t>(i), 1, false}, std::vector<double>{losses[i]});
    const std::string svg = curves_svg(table, "");
    EXPECT_TRUE(svg.ends_with("</svg>\n"));
    EXPECT_EQ(svg.find("inf"), std::string::npos);
  }
}

TEST(Curves, ManyStepsStayASmallFile) {
  MetricTable table;
  for (std::int64_t i = 0; i < 100'000; ++i)
    table.add({i + 1, 1, false}, std::vector<double>{1.0 / static_cast<double>(i + 1)});
  EXPECT_LT(curves_svg(table, "long").size(), 60'000u);
}

}  // namespace
}  // namespace tenon
