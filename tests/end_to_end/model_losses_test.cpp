// Small trainings of the catalog's networks follow PyTorch's losses of data/model_losses.json.
#include "tenon/io/npz.h"
#include "tenon/train/metric_table.h"
#include "tests/cli/cli_testing.h"
#include "tests/data/sample_reading.h"

namespace tenon {
namespace {

class ModelLosses : public testing::TestWithParam<const char*> {};

TEST_P(ModelLosses, FollowPyTorch) {
  std::size_t models = 0;
  const nlohmann::json samples = samples::read_samples("model_losses.json");
  for (const nlohmann::json& sample : samples.at("models")) {
    const cli::TemporaryFolder folder;
    io::write_npz(folder / "data.npz", {{"x", samples::read_tensor(sample.at("x"))},
                                        {"y", samples::read_tensor(sample.at("y"))}});
    auto arguments = sample.at("arguments").get<std::vector<std::string>>();
    const std::string model = arguments.at(1);
    arguments.insert(arguments.begin(), "train");
    arguments.insert(arguments.end(),
                     {"--data", "npz:" + (folder / "data.npz"), "--device", GetParam(), "--epochs",
                      "1", "--metrics", "none", "--log-every", "1", "--out", folder / "run"});
    const cli::Outcome outcome = cli::run_tenon(arguments);
    ASSERT_EQ(outcome.status, 0) << model << "\n" << outcome.err;
    const MetricTable table = read_metrics_csv(folder / "run/metrics.csv", 1000, {});
    const auto losses = sample.at("losses").get<std::vector<double>>();
    ASSERT_GE(table.rows.size(), losses.size()) << model;
    for (std::size_t i = 0; i < losses.size(); ++i)
      EXPECT_NEAR(table.values_of(i)[0], losses[i], 1e-8) << model << " step " << i + 1;
    ++models;
  }
  EXPECT_GE(models, 8u);
}

INSTANTIATE_TEST_SUITE_P(Devices, ModelLosses, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace tenon
