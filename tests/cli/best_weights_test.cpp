// Best weights and early stopping from the command line, and what is said of a loss that is NaN.
#include <cmath>

#include "cli_testing.h"
#include "tenon/io/safetensors.h"

namespace tenon::cli {
namespace {

class BestWeights : public testing::Test {
 protected:
  void SetUp() override { write_points(points_, 40); }

  // A rate so large that the last epoch is not the best one.
  Outcome train(const std::string& run, std::vector<std::string> more) const {
    more.insert(more.end(), {"--learning-rate", "2", "--validation", "0.25", "--seed", "1"});
    std::vector<std::string> arguments = train_arguments(points_, folder_ / run, more);
    *(std::ranges::find(arguments, "--epochs") + 1) = "8";
    return run_tenon(arguments);
  }
  double loss_of(const std::string& run, const std::string& weights) const {
    const Outcome outcome = run_tenon({"evaluate", folder_ / run, "--data", "csv:" + points_,
                                       "--device", "reference", "--json", "--weights", weights});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    const auto json = nlohmann::json::parse(outcome.out, nullptr, false);
    return json.contains("loss") ? json["loss"].get<double>() : NAN;
  }
  nlohmann::json description(const std::string& run) const {
    return nlohmann::json::parse(io::read_text_file(folder_ / run + "/run.json"));
  }
  std::string bytes(const std::string& name) const { return io::read_text_file(folder_ / name); }

  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
};

TEST_F(BestWeights, AreListedAndUsedByName) {
  const Outcome kept = train("kept", {"--keep-best"});
  ASSERT_EQ(kept.status, 0) << kept.err;
  EXPECT_NE(kept.out.find("  " + (folder_ / "kept/best.safetensors") + "\n"), std::string::npos)
      << kept.out;
  EXPECT_NE(loss_of("kept", "best"), loss_of("kept", "model"));
  EXPECT_EQ(loss_of("kept", "best"), loss_of("kept", folder_ / "kept/best.safetensors"));
  for (const std::string command : {"predict", "report"}) {
    std::vector<std::string> arguments = {command, folder_ / "kept", "--weights",
                                          "best",  "--device",       "reference"};
    if (command == "predict")
      arguments.insert(arguments.end(), {"--input", points_, "--label", "class"});
    EXPECT_EQ(run_tenon(arguments).status, 0) << command;
  }
  const auto error = [&](const std::string& weights) {
    const Outcome outcome = run_tenon({"evaluate", folder_ / "kept", "--data", "csv:" + points_,
                                       "--device", "reference", "--weights", weights});
    EXPECT_EQ(outcome.status, 2);
    return outcome.err;
  };
  EXPECT_EQ(error("averages"), "error: --weights: " + (folder_ / "kept/averages.safetensors") +
                                   " is missing; tenon train writes it with --average-decay\n");
  EXPECT_EQ(error("finest"),
            "error: --weights: model, best, averages or a .safetensors file expected, got "
            "\"finest\"\n");
}

TEST_F(BestWeights, AreTheModelWithRestoreBest) {
  ASSERT_EQ(train("kept", {"--keep-best"}).status, 0);
  const Outcome restored = train("restored", {"--restore-best"});
  ASSERT_EQ(restored.status, 0) << restored.err;
  EXPECT_EQ(io::read_safetensors(folder_ / "restored/model.safetensors").tensors,
            io::read_safetensors(folder_ / "kept/best.safetensors").tensors);
  const std::string said = description("restored")["training"]["weights"];
  EXPECT_EQ(said.find("of epoch "), 0u);
  EXPECT_NE(said.find(", the best by validation_loss ("), std::string::npos) << said;
  EXPECT_NE(restored.err.find("the weights are those " + said), std::string::npos) << restored.err;
  EXPECT_FALSE(description("kept")["training"].contains("weights"));

  // Interrupted at any step, it ends with the same files.
  ASSERT_EQ(train("parts", {"--restore-best", "--max-steps", "9"}).status, 0);
  const Outcome rest = train("parts", {"--restore-best", "--resume"});
  ASSERT_EQ(rest.status, 0) << rest.err;
  for (const char* file : {"/model.safetensors", "/state.safetensors", "/best.safetensors"})
    EXPECT_EQ(bytes(std::string("parts") + file), bytes(std::string("restored") + file)) << file;
  const std::string model = bytes("restored/model.safetensors");
  ASSERT_EQ(train("restored", {"--restore-best", "--resume"}).status, 0);
  EXPECT_EQ(bytes("restored/model.safetensors"), model);
}

TEST_F(BestWeights, RestoreBestExcludesAverages) {
  const Outcome outcome = train("run", {"--restore-best", "--average-decay", "0.9"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "error: --restore-best: excludes --average-decay, whose averages are those of the last "
            "step; --keep-best keeps both\n");
}

TEST_F(BestWeights, EarlyStoppingSaysSo) {
  const Outcome outcome =
      train("run", {"--early-stopping", "1", "--monitor", "validation_accuracy"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::size_t place = outcome.err.find("stopped early after epoch ");
  ASSERT_NE(place, std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(" of 8: validation_accuracy is no better for 1 epoch; best ", place),
            std::string::npos)
      << outcome.err;
}

TEST_F(BestWeights, ALossOfNaNIsToldWithWhatToDo) {
  std::vector<std::string> arguments =
      train_arguments(points_, folder_ / "run", {"--learning-rate", "1e38", "--optimizer", "sgd"});
  const std::string help =
      "\n  help: try a smaller --learning-rate; --nan-guard stops at the first such number and "
      "names the op that made it\n";
  const Outcome whole = run_tenon(arguments);
  EXPECT_EQ(whole.status, 0) << whole.err;
  EXPECT_NE(whole.err.find("warning: the loss is NaN from epoch 1 on" + help), std::string::npos)
      << whole.err;
  arguments.insert(arguments.end(), {"--overwrite", "--max-steps", "3"});
  const Outcome part = run_tenon(arguments);
  EXPECT_EQ(part.status, 0) << part.err;
  EXPECT_NE(part.err.find(" is not finite" + help), std::string::npos) << part.err;
  const Outcome good = run_tenon(train_arguments(points_, folder_ / "good"));
  EXPECT_EQ(good.err.find("--nan-guard"), std::string::npos) << good.err;
}

// Rows of class 1 count nothing, and so do batches of them.
TEST_F(BestWeights, AClassOfWeightZeroIsNotLearned) {
  std::string text = "a,b,class\n";
  for (int i = 0; i < 32; ++i) text += fmt::format("{},{},{}\n", i % 5, i % 7, i < 16 ? 0 : 1);
  io::write_file_atomically(folder_ / "binary.csv", text);
  for (const char* loss : {"sparse_categorical_cross_entropy_from_logits",
                           "binary_cross_entropy_from_logits", "binary_cross_entropy"}) {
    std::vector<std::string> arguments =
        train_arguments(folder_ / "binary.csv", folder_ / loss,
                        {"--class-weights", "1,0", "--no-shuffle", "--validation", "none", "--loss",
                         loss, "--json"});
    const Outcome outcome = run_tenon(arguments);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const auto told = nlohmann::json::parse(outcome.out);
    EXPECT_TRUE(told["epochs"].back()["train"]["loss"].is_number()) << loss;
    EXPECT_EQ(outcome.err.find("nan"), std::string::npos) << outcome.err;
  }
}

TEST_F(BestWeights, AMetricIsAskedForOnce) {
  const Outcome outcome = train("run", {"--metrics", "accuracy,macro_f1,accuracy"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "error: --metrics: \"accuracy\" is there twice\n");
}

TEST_F(BestWeights, MetricsOfTwoClassesTakeTheUsualLoss) {
  std::string text = "a,b,class\n";
  for (int i = 0; i < 32; ++i) text += fmt::format("{},{},{}\n", i % 5, i % 7, i % 5 > 2 ? 1 : 0);
  io::write_file_atomically(folder_ / "binary.csv", text);
  const Outcome outcome =
      run_tenon(train_arguments(folder_ / "binary.csv", folder_ / "run",
                                {"--metrics", "roc_auc,pr_auc,precision,recall,f1,specificity"}));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("  roc_auc 0."), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace tenon::cli
