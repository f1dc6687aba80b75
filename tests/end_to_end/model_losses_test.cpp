// Small trainings of the catalog's networks follow PyTorch's losses of data/model_losses.json.
#include <algorithm>
#include <cmath>
#include <set>

#include "tenon/io/npz.h"
#include "tenon/models/catalog.h"
#include "tenon/train/metric_table.h"
#include "tests/cli/cli_testing.h"
#include "tests/data/sample_reading.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

const Json& records() {
  static const Json all = samples::read_samples("model_losses.json");
  return all;
}

struct Way {
  const char* device;
  const char* dtype;
};

class ModelLosses : public testing::TestWithParam<Way> {
 protected:
  // Of each step, of what `tenon train` is asked for by the record.
  std::vector<double> losses(const Json& record) const {
    const cli::TemporaryFolder folder;
    const Json& data = records().at("datasets").at(record.at("data").get<std::size_t>());
    io::write_npz(folder / "data.npz", {{"x", samples::read_tensor(data.at("x"))},
                                        {"y", samples::read_tensor(data.at("y"))}});
    auto arguments = record.at("arguments").get<std::vector<std::string>>();
    arguments.insert(arguments.begin(), "train");
    arguments.insert(arguments.end(),
                     {"--data", "npz:" + (folder / "data.npz"), "--device", GetParam().device,
                      "--dtype", GetParam().dtype, "--epochs", "1", "--metrics", "none",
                      "--log-every", "1", "--out", folder / "run"});
    const cli::Outcome outcome = cli::run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    if (outcome.status != 0) return {};
    const MetricTable table = read_metrics_csv(folder / "run/metrics.csv", 1000, {});
    std::vector<double> found;
    for (std::size_t i = 0; i < table.rows.size(); ++i)
      if (!table.rows[i].is_validation) found.push_back(table.values_of(i)[0]);
    return found;
  }
};

// How far losses may be from those of PyTorch in f64: 1e-8 in f64; in f32 3 times as far as
// PyTorch's own of a plain run in f32, and one unit in the last place for their own rounding.
double tolerance(const Json& record, const std::string& dtype, const std::vector<double>& exact) {
  if (dtype == "f64") return 1e-8;
  const float largest = static_cast<float>(*std::ranges::max_element(exact));
  const double own = std::nextafter(largest, INFINITY) - largest;
  return 3 * record.at("f32").at("plain").get<double>() + own;
}

TEST_P(ModelLosses, FollowPyTorch) {
  const std::string dtype = GetParam().dtype;
  for (const Json& record : records().at("models")) {
    SCOPED_TRACE(record.at("arguments").at(1));
    const auto exact = (dtype == "f64" ? record.at("f64") : record.at("f32").at("exact"))
                           .get<std::vector<double>>();
    const double most = tolerance(record, dtype, exact);
    ASSERT_EQ(exact.size(), 10u);
    const std::vector<double> found = losses(record);
    ASSERT_EQ(found.size(), exact.size());
    for (std::size_t i = 0; i < exact.size(); ++i)
      EXPECT_NEAR(found[i], exact[i], most) << "step " << i + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ModelLosses,
                         testing::Values(Way{"reference", "f64"}, Way{"reference", "f32"},
                                         Way{"cpu", "f64"}, Way{"cpu", "f32"}),
                         [](const auto& test) {
                           return std::string(test.param.device) + "_" + test.param.dtype;
                         });

TEST(ModelRecords, AreRecordedOfEveryNameOfTheCatalog) {
  std::set<std::string> recorded;
  for (const Json& record : records().at("models"))
    recorded.insert(models::model_name(record.at("arguments").at(1).get<std::string>()));
  for (const std::string_view name : models::model_names())
    EXPECT_TRUE(recorded.contains(std::string(name)))
        << "no record of " << name << ": give tests/end_to_end/model_cases.py a small case of it "
        << "with is_recorded=True and run tests/end_to_end/compare_with_pytorch.py --record";
}

}  // namespace
}  // namespace tenon
