#include <algorithm>

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
  double flops = 0, last = 1e300;
  for (const Json& kernel : profile["kernels"]) {
    flops += kernel["flops"].get<double>();
    EXPECT_EQ(kernel["calls"], 1) << kernel;
    EXPECT_LE(kernel["seconds"], last);  // longest first
    EXPECT_TRUE(kernel["layers"].is_array());
    last = kernel["seconds"];
  }
  EXPECT_GT(profile["seconds_per_step"], 0);
  EXPECT_GT(profile["median_seconds_per_step"], 0);
  EXPECT_TRUE(profile.contains("core_waiting"));
  // Two layers forward, both gradients of weights, and that of the values between.
  const double products = 2.0 * 8 * (2 * 12 * 16 + 3 * 16 * 10);
  EXPECT_GE(flops, products);
  EXPECT_LT(flops, 3 * products);
  EXPECT_EQ(profile["flops"], flops);
  EXPECT_GT(profile["bytes"], 0);
  EXPECT_EQ(profile["host_device_bytes"], 0);
  EXPECT_TRUE(profile.contains("joules"));

  const Json trace = read_json(folder / "trace.json");
  ASSERT_EQ(trace["traceEvents"].size(), profile["kernels"].size());
  double at = 0;
  for (const Json& event : trace["traceEvents"]) {
    EXPECT_EQ(event["ph"], "X");
    EXPECT_GE(event["ts"], at);  // one after the other
    at = event["ts"].get<double>() + event["dur"].get<double>();
    EXPECT_FALSE(event["name"].get<std::string>().empty());
    EXPECT_TRUE(event["args"]["layers"].is_array());
  }
}

// FLOPs of the products of narrow layers are those that `tenon inspect` tells; what comes on top is
// elementwise, most of it the optimizer's.
TEST(Profile, CountsTheFlopsThatInspectTells) {
  const std::vector<std::string> options = {"--model",       "mlp", "--hidden",     "128,64",
                                            "--input-shape", "784", "--batch-size", "32",
                                            "--optimizer",   "sgd", "--json"};
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
  };
  const Json profile = run({"profile", "--steps", "1"});
  const double products = run({"inspect"})["flops_per_step"];
  const double weights = 784 * 128 + 128 * 64 + 64 * 10 + 128 + 64 + 10;
  EXPECT_GE(profile["flops"], products);
  // Less than ten for each weight; some dozens for each value between layers.
  EXPECT_LE(profile["flops"], products + 10 * weights + 40.0 * 32 * (128 + 64 + 10));
  // The last layer's product, whose ten outputs fill no vector, is a kernel of its own.
  const double of_ten = 2.0 * 32 * 64 * 10;
  EXPECT_TRUE(std::ranges::any_of(profile["kernels"],
                                  [&](const Json& kernel) { return kernel["flops"] == of_ten; }));
}

TEST(Profile, TotalsAreOfKernelsAndOfLayers) {
  const std::vector<std::string> options = {
      "profile", "--model", "mlp", "--hidden", "16,16,16", "--input-shape", "16", "--steps", "3"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = options;
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  };
  const Json profile = Json::parse(with({"--json"}), nullptr, false);
  const auto sum = [&](const char* list, const char* field) {
    double total = 0;
    for (const Json& row : profile[list]) total += row[field].get<double>();
    return total;
  };
  for (const char* list : {"by_kernel", "by_layer"}) {
    EXPECT_LT(profile[list].size(), profile["kernels"].size()) << list;
    EXPECT_EQ(sum(list, "launches"), profile["kernels"].size()) << list;
    for (const char* field : {"calls", "flops", "bytes"})
      EXPECT_EQ(sum(list, field), sum("kernels", field)) << list << " " << field;
    EXPECT_NEAR(sum(list, "seconds"), sum("kernels", "seconds"), 1e-9) << list;
  }
  std::vector<std::string> layers;
  for (const Json& row : profile["by_layer"])
    if (!row["layer"].is_null()) layers.push_back(row["layer"]);
  for (const char* layer : {"dense", "dense_1", "dense_2", "dense_3", "loss"})
    EXPECT_NE(std::ranges::find(layers, layer), layers.end()) << layer;
  EXPECT_NE(with({"--by", "layer"}).find("dense_1 (mlp.cpp:"), std::string::npos);
  EXPECT_NE(with({"--by", "kernel"}).find("launches: "), std::string::npos);
}

// The data set lies on the device as a whole; a step takes the rows of its batch.
TEST(Profile, BytesOfDataAreThoseOfTheRowsTaken) {
  const TemporaryFolder folder;
  write_points(folder / "few.csv", 30);
  write_points(folder / "many.csv", 3000);
  const auto bytes = [&](const char* file) {
    const Outcome outcome =
        run_tenon({"profile", "--model", "mlp", "--hidden", "4", "--batch-size", "8", "--steps",
                   "1", "--data", "csv:" + (folder / file), "--json"});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return Json::parse(outcome.out, nullptr, false)["bytes"].get<double>();
  };
  EXPECT_EQ(bytes("few.csv"), bytes("many.csv"));
}

TEST(Profile, FilesThatCannotBeWrittenAreToldBeforeTheWork) {
  const TemporaryFolder folder;
  const std::string file = folder / "missing/file";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"profile", "--trace"}, {"inspect", "--memory-map"}}) {
    const Outcome outcome = run_tenon({command[0], "--model", "mlp", command[1], file});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.err, "error: cannot write " + file + ": No such file or directory\n");
  }
}

// The layers of the kernels that write this value, or one that ends so.
std::vector<std::string> layers_of(const Json& profile, const std::string& written) {
  std::vector<std::string> layers;
  for (const Json& kernel : profile["kernels"])
    if (kernel["writes"].get<std::string>().find(written) != std::string::npos)
      for (const Json& layer : kernel["layers"]) layers.push_back(layer["path"]);
  return layers;
}

TEST(Profile, NamesTheLayersOfTheKernels) {
  const Outcome outcome = run_tenon({"profile", "--model", "mlp", "--hidden", "16", "--steps", "1",
                                     "--input-shape", "12", "--batch-size", "8", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json profile = Json::parse(outcome.out);
  EXPECT_EQ(layers_of(profile, "dense_1/kernel"), std::vector<std::string>{"dense_1"});
  EXPECT_EQ(layers_of(profile, "dense/kernel"), std::vector<std::string>{"dense"});
}

TEST(Profile, IsOfTheStepThatIsTrained) {
  const TemporaryFolder folder;
  write_points(folder / "points.csv", 30);
  const std::vector<std::string> options = {"--model",
                                            "mlp",
                                            "--hidden",
                                            "4",
                                            "--data",
                                            "csv:" + (folder / "points.csv"),
                                            "--optimizer",
                                            "sgd",
                                            "--momentum",
                                            "0.9",
                                            "--normalize",
                                            "standard",
                                            "--penalty",
                                            "l2:0.1",
                                            "--loss",
                                            "sparse_categorical_focal_cross_entropy_from_logits",
                                            "--clip-global-norm",
                                            "1",
                                            "--batch-size",
                                            "8"};
  const auto profile = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "profile");
    arguments.insert(arguments.end(), {"--steps", "1", "--json"});
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
  };
  std::vector<std::string> train = options;
  train.insert(train.begin(), "train");
  train.insert(train.end(), {"--epochs", "1", "--validation", "none", "--out", folder / "run"});
  ASSERT_EQ(run_tenon(train).status, 0);
  const auto kernels = [](const Json& of) {
    std::vector<std::string> texts;
    for (const Json& kernel : of["kernels"])
      texts.push_back(fmt::format("{} {}", kernel["kernel"].get<std::string>(),
                                  kernel["writes"].get<std::string>()));
    std::ranges::sort(texts);
    return texts;
  };
  const Json by_options = profile(options);
  const Json by_run =
      profile({folder / "run", "--data", "csv:" + (folder / "points.csv"), "--batch-size", "8"});
  EXPECT_EQ(kernels(by_options), kernels(by_run));
  EXPECT_NE(layers_of(by_run, "optimizer/dense/kernel/velocity"), std::vector<std::string>());
  const Json by_default = profile({"--model", "mlp", "--hidden", "4", "--data",
                                   "csv:" + (folder / "points.csv"), "--batch-size", "8"});
  EXPECT_NE(kernels(by_default), kernels(by_run));
  EXPECT_NE(layers_of(by_default, "optimizer/dense/kernel/m"), std::vector<std::string>());
}

TEST(Profile, ARunHasItsOwnStep) {
  const TemporaryFolder folder;
  write_points(folder / "points.csv", 30);
  ASSERT_EQ(run_tenon(train_arguments(folder / "points.csv", folder / "run")).status, 0);
  for (const std::vector<std::string>& option : {std::vector<std::string>{"--optimizer", "sgd"},
                                                 {"--learning-rate", "1"},
                                                 {"--loss", "mean_squared_error"},
                                                 {"--normalize", "none"},
                                                 {"--dtype", "f64"},
                                                 {"--precision", "bf16"},
                                                 {"--classes", "3"},
                                                 {"--seed", "1"}}) {
    const Outcome outcome = run_tenon({"profile", folder / "run", option[0], option[1]});
    EXPECT_EQ(outcome.status, 2) << option[0];
    EXPECT_EQ(outcome.err, "error: " + option[0] + ": excludes a run, which has its own\n");
  }
  const Outcome again = run_tenon({"inspect", folder / "run", "--recompute", "full"});
  EXPECT_EQ(again.status, 0) << again.err;
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
  EXPECT_EQ(reference.status, 2);
  EXPECT_NE(reference.err.find("error: --device: reference has no kernels to take the time of\n"),
            std::string::npos)
      << reference.err;
  write_points(folder / "points.csv", 30);
  const Outcome few = run_tenon({"profile", "--model", "mlp", "--data",
                                 "csv:" + (folder / "points.csv"), "--batch-size", "31"});
  EXPECT_EQ(few.status, 2);
  EXPECT_NE(few.err.find("error: --batch-size: " + (folder / "points.csv") +
                         " has 30 samples, fewer than a batch of 31\n"),
            std::string::npos)
      << few.err;
  const Outcome both = run_tenon({"profile", folder / "run", "--model", "mlp"});
  EXPECT_EQ(both.status, 2);
  EXPECT_EQ(both.err, "error: --model: excludes a run, which has its own\n");
}

}  // namespace
}  // namespace tenon::cli
