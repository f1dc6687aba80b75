// Penalties, rates and constraints by name, lookahead, plateaus and class weights by options.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli_testing.h"
#include "tenon/io/safetensors.h"

namespace tenon::cli {
namespace {

class TrainingOptions : public testing::Test {
 protected:
  void SetUp() override { write_points(points_, 31); }

  // Trains, and gives what run.json says.
  nlohmann::json run(const std::string& name, const std::vector<std::string>& more,
                     const std::string& epochs = "2") {
    std::vector<std::string> arguments = train_arguments(points_, folder_ / name, more);
    *(std::ranges::find(arguments, "--epochs") + 1) = epochs;
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return nlohmann::json::parse(io::read_text_file(folder_ / name + "/run.json"));
  }
  std::vector<double> weight(const std::string& run_name, const std::string& name) {
    const HostTensor tensor =
        io::read_safetensors(folder_ / run_name + "/model.safetensors").tensors.at(name);
    std::vector<double> values;
    for (std::int64_t i = 0; i < tensor.size(); ++i) values.push_back(element_as_double(tensor, i));
    return values;
  }

  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
};

TEST_F(TrainingOptions, AreSavedAndReadBack) {
  const nlohmann::json json =
      run("all", {"--optimizer", "adamw",        "--weight-decay",
                  "0.1",         "--rate-for",   "dense_1/*=0.5",
                  "--rate-for",  "*=2",          "--no-decay",
                  "*bias",       "--constraint", "*kernel:max_norm=0.5:axes=0",
                  "--lookahead", "3:0.25",       "--penalty",
                  "l2:0.001",    "--penalty",    "l1:0.01",
                  "--penalty",   "l1:0.1:*bias", "--class-weights",
                  "1,0.5,2",     "--metrics",    "accuracy,cohen_kappa,mean_iou,log_loss"});
  const nlohmann::json& options = json["optimizer"]["options"];
  EXPECT_EQ(options["rates"], nlohmann::json({"dense_1/*=0.5", "*=2"}));
  EXPECT_EQ(options["no_decay"], nlohmann::json({"*bias"}));
  EXPECT_EQ(options["constraints"], nlohmann::json({"*kernel:max_norm=0.5:axes=0"}));
  EXPECT_EQ(options["lookahead_steps"], 3);
  EXPECT_EQ(options["lookahead_alpha"], 0.25);
  EXPECT_EQ(json["loss"], "sparse_categorical_cross_entropy_from_logits:class_weights=1/0.5/2");
  EXPECT_EQ(json["model"]["kind"], "penalized");
  EXPECT_EQ(json["model"]["l1"], 0.1);
  EXPECT_EQ(json["model"]["weights"], "*bias");
  EXPECT_EQ(json["model"]["layer"]["l1"], 0.01);
  EXPECT_EQ(json["model"]["layer"]["l2"], 0.001);
  // The columns of the kernel are as short as they must be.
  const std::vector<double> kernel = weight("all", "dense/kernel");
  for (std::size_t unit = 0; unit < 4; ++unit)
    EXPECT_LE(std::hypot(kernel[unit], kernel[4 + unit]), 0.5 + 1e-6);
  // The run is known from its files alone, and goes on with them.
  for (const char* command : {"evaluate", "inspect"}) {
    std::vector<std::string> arguments{command, folder_ / "all"};
    if (command == std::string("evaluate")) {
      const std::vector<std::string> data{"--data", "csv:" + points_, "--device", "reference"};
      arguments.insert(arguments.end(), data.begin(), data.end());
    }
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
  }
}

// What a file says of them is checked as options are; what it does not say is as usual.
TEST_F(TrainingOptions, OfAHostileFileAreRefused) {
  const nlohmann::json good = run("run", {"--rate-for", "*=2", "--lookahead", "5"});
  const std::string file = folder_ / "run/run.json";
  EXPECT_EQ(good["optimizer"]["options"],
            nlohmann::json({{"lookahead_steps", 5}, {"rates", {"*=2"}}}));
  const auto message = [&](const char* name, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad["optimizer"]["options"][name] = value;
    io::write_file_atomically(file, bad.dump());
    const Outcome outcome = run_tenon({"inspect", folder_ / "run"});
    EXPECT_EQ(outcome.status, 1);
    return outcome.err;
  };
  const std::string start = fmt::format("error: {}: optimizer.options.", file);
  EXPECT_EQ(message("rates", {"*=-2"}),
            start + "rates: \"*=-2\": the factor must be finite and 0 or more, got -2\n");
  EXPECT_EQ(message("rates", "*=2"),
            start + "rates: a list of texts expected, found \"\\\"*=2\\\"\"\n");
  EXPECT_EQ(message("constraints", {"*:max_norm=nan"}),
            start + "constraints: \"*:max_norm=nan\": expected a finite number, got \"nan\"\n");
  EXPECT_EQ(message("lookahead_steps", -1),
            start +
                "lookahead_steps: a whole number from 0 to 9223372036854775807 expected, found "
                "-1\n");
  EXPECT_EQ(message("lookahead_alpha", 1),
            start + "lookahead_alpha: a number in [0, 1) expected, found 1\n");
}

TEST_F(TrainingOptions, APenaltyIsPartOfTheLossAndShrinksWeights) {
  run("free", {"--optimizer", "sgd", "--learning-rate", "0.05"});
  run("held", {"--optimizer", "sgd", "--learning-rate", "0.05", "--penalty", "l2:0.5"});
  const auto length = [&](const std::string& name) {
    double sum = 0;
    for (const double value : weight(name, "dense/kernel")) sum += value * value;
    return sum;
  };
  EXPECT_LT(length("held"), 0.5 * length("free"));
}

TEST_F(TrainingOptions, ARateOfZeroLeavesWeightsWhereTheyAre) {
  run("start", {}, "0");
  run("end", {"--rate-for", "dense/*=0"});
  EXPECT_EQ(weight("start", "dense/kernel"), weight("end", "dense/kernel"));
  EXPECT_NE(weight("start", "dense_1/kernel"), weight("end", "dense_1/kernel"));
}

TEST_F(TrainingOptions, APatternOfNoWeightIsRefused) {
  const Outcome outcome =
      run_tenon(train_arguments(points_, folder_ / "x", {"--rate-for", "denze/*=0"}));
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "error: --rate-for: no weight is of the pattern \"denze/*\"; help: the weights are "
            "dense/kernel, dense/bias, dense_1/kernel, dense_1/bias\n");
}

// Balanced weights of 31 points: 11, 10 and 10 of each class.
TEST_F(TrainingOptions, BalancedClassWeightsAreThoseOfScikitLearn) {
  const nlohmann::json json = run("balanced", {"--class-weights", "balanced"});
  const std::string loss = json["loss"];
  const std::string expected = fmt::format("{}/{}/{}", 31 / 33.0, 31 / 30.0, 31 / 30.0);
  EXPECT_EQ(loss, "sparse_categorical_cross_entropy_from_logits:class_weights=" + expected);
}

// The rate falls where the loss does not, and a run that was stopped goes on with the same bits.
TEST_F(TrainingOptions, APlateauLowersTheRateAndIsResumed) {
  const std::vector<std::string> plateau = {
      "--schedule",           "plateau", "--schedule-patience",  "0",
      "--schedule-threshold", "0.5",     "--schedule-reduction", "0.5",
      "--optimizer",          "sgd",     "--validation",         "none"};
  run("whole", plateau, "5");
  const auto state = [&](const std::string& name) {
    return io::read_safetensors(folder_ / name + "/state.safetensors").tensors;
  };
  const std::vector<double> rate = [&] {
    const HostTensor found = state("whole").at("schedule/state");
    return std::vector<double>(found.as<double>().begin(), found.as<double>().end());
  }();
  // No epoch halves the loss of the one before; the first observation is the best.
  EXPECT_EQ(rate[0], 0.0625);
  run("parts", plateau, "2");
  std::vector<std::string> resumed = plateau;
  resumed.emplace_back("--resume");
  run("parts", resumed, "5");
  EXPECT_EQ(weight("parts", "dense/kernel"), weight("whole", "dense/kernel"));
  EXPECT_EQ(state("parts").at("schedule/state"), state("whole").at("schedule/state"));
}

}  // namespace
}  // namespace tenon::cli
