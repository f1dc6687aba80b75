#include "cli_testing.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

Json read_json(const std::string& file) {
  std::ifstream stream(file);
  return Json::parse(stream, nullptr, false);
}

TEST(Profile, TellsWhereTheTimeGoes) {
  const TemporaryFolder folder;
  const Outcome outcome =
      run_tenon({"profile", "--model", "mlp", "--hidden", "16", "--input-shape", "12",
                 "--batch-size", "8", "--steps", "3", "--trace", folder / "trace.json", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json profile = Json::parse(outcome.out);
  EXPECT_EQ(profile["steps"], 3);
  EXPECT_EQ(profile["batch_size"], 8);
  EXPECT_GT(profile["peak_flops_per_second"], 1e8);
  EXPECT_GT(profile["peak_bytes_per_second"], 1e7);
  double seconds = 0, flops = 0, last = 1e300;
  for (const Json& kernel : profile["kernels"]) {
    seconds += kernel["seconds"].get<double>();
    flops += kernel["flops"].get<double>();
    EXPECT_EQ(kernel["calls"], 1) << kernel;
    EXPECT_LE(kernel["seconds"], last);  // longest first
    last = kernel["seconds"];
  }
  EXPECT_NEAR(profile["seconds_per_step"], seconds, 1e-9);
  // Two layers forward, both gradients of weights, and that of the values between.
  const double products = 2.0 * 8 * (2 * 12 * 16 + 3 * 16 * 10);
  EXPECT_GE(flops, products);
  EXPECT_LT(flops, 3 * products);

  const Json trace = read_json(folder / "trace.json");
  ASSERT_EQ(trace["traceEvents"].size(), profile["kernels"].size());
  double at = 0;
  for (const Json& event : trace["traceEvents"]) {
    EXPECT_EQ(event["ph"], "X");
    EXPECT_GE(event["ts"], at);  // one after the other
    at = event["ts"].get<double>() + event["dur"].get<double>();
    EXPECT_FALSE(event["name"].get<std::string>().empty());
  }
}

TEST(Profile, TakesARunAndItsData) {
  const TemporaryFolder folder;
  write_points(folder / "points.csv", 30);
  ASSERT_EQ(run_tenon(train_arguments(folder / "points.csv", folder / "run")).status, 0);
  const Outcome outcome = run_tenon({"profile", folder / "run", "--steps", "2", "--rows", "2"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const char* part : {"GFLOP/s", "roof", "more; --rows", "launches", "machine"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
  const Outcome on_data = run_tenon({"profile", folder / "run", "--steps", "2", "--data",
                                     "csv:" + (folder / "points.csv"), "--json"});
  EXPECT_EQ(on_data.status, 0) << on_data.err;
}

TEST(Profile, RefusesWhatHasNoKernelsAndTooFewSamples) {
  const TemporaryFolder folder;
  const Outcome reference =
      run_tenon({"profile", "--model", "mlp", "--device", "reference", "--batch-size", "2"});
  EXPECT_EQ(reference.status, 1);
  EXPECT_EQ(reference.err, "error: device reference has no kernels to take the time of\n");
  write_points(folder / "points.csv", 30);
  const Outcome few = run_tenon({"profile", "--model", "mlp", "--data",
                                 "csv:" + (folder / "points.csv"), "--batch-size", "31"});
  EXPECT_EQ(few.status, 1);
  EXPECT_NE(few.err.find("has 30 samples, fewer than a batch of 31; say less by --batch-size"),
            std::string::npos)
      << few.err;
  const Outcome both = run_tenon({"profile", folder / "run", "--model", "mlp"});
  EXPECT_EQ(both.status, 2);
  EXPECT_EQ(both.err, "error: --model: excludes a run, which has its own\n");
}

}  // namespace
}  // namespace tenon::cli
