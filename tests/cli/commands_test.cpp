#include <csignal>

#include "cli_testing.h"
#include "tenon/io/npy.h"
#include "tenon/io/png.h"
#include "tenon/io/safetensors.h"

namespace tenon::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Nothing but one JSON object on standard output.
Json parsed(const Outcome& outcome) {
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const Json json = Json::parse(outcome.out, nullptr, false);
  EXPECT_TRUE(json.is_object()) << outcome.out;
  return json;
}

class Commands : public testing::Test {
 protected:
  void SetUp() override {
    write_points(points_, 30);
    ASSERT_EQ(run_tenon(train_arguments(points_, run_)).status, 0);
  }
  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
  const std::string run_ = folder_ / "run";
};

TEST_F(Commands, TrainReportsAndWritesARun) {
  const Outcome outcome =
      run_tenon(train_arguments(points_, folder_ / "other", {"--validation", "0.2"}));
  EXPECT_EQ(outcome.status, 0);
  for (const char* part :
       {"in steps alone", "samples per second", "buffers of the step", "time to first step",
        "predictions\n", "row 0", "(truth ", "written\n", "model.safetensors", "curves.svg"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
  EXPECT_NE(outcome.err.find("\nepoch 1/2  step 3  loss "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("validation loss"), std::string::npos);
  EXPECT_EQ(outcome.err.find('\r'), std::string::npos);  // plain lines: it is no terminal
  for (const char* file : {"run.json", "metrics.csv", "state.safetensors"})
    EXPECT_TRUE(fs::exists(fs::path(folder_ / "other") / file)) << file;
}

TEST_F(Commands, JsonIsOneObject) {
  const Json train = parsed(run_tenon(train_arguments(points_, folder_ / "j", {"--json"})));
  EXPECT_EQ(train["steps"], 8);
  EXPECT_EQ(train["epochs"].size(), 2u);
  EXPECT_EQ(train["files"].size(), 6u);
  EXPECT_EQ(train["interrupted"], false);
  const Json evaluate = parsed(
      run_tenon({"evaluate", run_, "--data", "csv:" + points_, "--device", "reference", "--json"}));
  EXPECT_EQ(evaluate["samples"], 30);
  EXPECT_TRUE(evaluate["accuracy"].is_number());
  const Json predict = parsed(run_tenon({"predict", run_, "--input", points_, "--label", "class",
                                         "--device", "reference", "--json"}));
  EXPECT_EQ(predict["rows"], 30);
  EXPECT_EQ(predict["predictions"][0]["probabilities"].size(), 3u);
  const Json inspect = parsed(run_tenon({"inspect", run_, "--device", "reference", "--json"}));
  EXPECT_EQ(inspect["parameters"], 2 * 4 + 4 + 4 * 3 + 3);
  EXPECT_EQ(inspect["flops_per_prediction"], 2 * (2 * 4 + 4 * 3));
  EXPECT_EQ(inspect["batch_size"], 8);
  EXPECT_EQ(parsed(run_tenon({"devices", "--json"}))["devices"][0]["name"], "cpu");
  ::setenv("TENON_CACHE_DIR", (folder_ / "cache").c_str(), 1);
  EXPECT_EQ(parsed(run_tenon({"cache", "--json"}))["entries"], 0);
  EXPECT_EQ(parsed(run_tenon({"cache", "--clear", "--json"}))["cleared"], true);
  ::unsetenv("TENON_CACHE_DIR");
}

TEST_F(Commands, InspectSaysWhoseDataItCounts) {
  const Outcome inspect = run_tenon({"inspect", run_, "--device", "reference"});
  EXPECT_NE(inspect.out.find(" data of 30 samples, "), std::string::npos) << inspect.out;
  EXPECT_EQ(inspect.out.find("a training has all samples in memory there"), std::string::npos);
  const Outcome model =
      run_tenon({"inspect", "--model", "mlp", "--data", "csv:" + points_, "--label", "class",
                 "--batch-size", "5", "--device", "reference"});
  EXPECT_NE(model.out.find(" data of a batch, "), std::string::npos) << model.out << model.err;
  EXPECT_NE(model.out.find("a training has all samples in memory there"), std::string::npos);
}

TEST_F(Commands, HelpAndVersionAreWordsToo) {
  for (const auto& [word, option] :
       {std::pair<std::vector<std::string>, std::vector<std::string>>({"help"}, {"--help"}),
        {{"version"}, {"--version"}},
        {{"help", "predict"}, {"predict", "--help"}}}) {
    const Outcome by_word = run_tenon(word), by_option = run_tenon(option);
    EXPECT_EQ(by_word.status, 0) << by_word.err;
    EXPECT_FALSE(by_word.out.empty());
    EXPECT_EQ(by_word.out, by_option.out);
  }
  EXPECT_EQ(run_tenon({"help", "predikt"}).status, 2);
}

TEST_F(Commands, PredictReadsAndWritesItsFiles) {
  const auto predict = [&](const std::string& input, const std::string& output) {
    std::vector<std::string> arguments = {"predict", run_,       "--input",
                                          input,     "--device", "reference"};
    if (!output.empty()) arguments.insert(arguments.end(), {"--output", output});
    return run_tenon(arguments);
  };
  io::write_npy(folder_ / "none.npy", HostTensor({DType::f32, {0, 2}}));
  io::write_npy(folder_ / "one.npy", make_tensor<float>({2}, {4, 0}));
  io::write_npy(folder_ / "odd.npy", make_tensor<double>({3, 2}, {0, 0, 4, 0, 0, 4}));
  EXPECT_EQ(predict(folder_ / "none.npy", "").out, "");
  const Outcome one = predict(folder_ / "one.npy", "");
  EXPECT_EQ(std::count(one.out.begin(), one.out.end(), '\n'), 1) << one.err;
  EXPECT_EQ(one.out.find('%'), 7u) << one.out;  // no number of a row, where there is one
  EXPECT_TRUE(predict(folder_ / "odd.npy", "").out.starts_with("     0  ")) << one.out;
  EXPECT_EQ(predict(folder_ / "odd.npy", folder_ / "scores.npy").out,
            fmt::format("3 predictions in {}\n", folder_ / "scores.npy"));
  EXPECT_EQ(io::read_npy(folder_ / "scores.npy").type(), (TensorType{DType::f32, {3, 3}}));
  EXPECT_EQ(predict(folder_ / "odd.npy", folder_ / "scores.csv").status, 0);
  const std::string csv = io::read_text_file(folder_ / "scores.csv");
  EXPECT_TRUE(csv.starts_with("class,probability,0,1,2\n")) << csv;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  io::write_npy(folder_ / "wide.npy", HostTensor({DType::f32, {3, 4}}));
  EXPECT_EQ(predict(folder_ / "wide.npy", "").err,
            fmt::format("error: {}: rows of shape [4] found, the model takes f32[2]\n",
                        folder_ / "wide.npy"));
}

TEST(Images, TrainPredictAndShow) {
  const TemporaryFolder folder;
  std::vector<unsigned char> pixels, labels;
  for (int i = 0; i < 6; ++i) {
    for (int p = 0; p < 12 * 12; ++p) pixels.push_back((p % 12 < 6) == (i % 2 == 0) ? 255 : 0);
    labels.push_back(static_cast<unsigned char>(i % 2));
  }
  for (const std::string part : {"train", "t10k"}) {
    write_idx(folder / (part + "-images-idx3-ubyte"), {6, 12, 12}, pixels);
    write_idx(folder / (part + "-labels-idx1-ubyte"), {6}, labels);
  }
  const Outcome outcome =
      run_tenon({"train", "--model", "lenet", "--filters", "2,2", "--hidden", "4", "--data",
                 "idx:" + (folder / ""), "--epochs", "1", "--batch-size", "4", "--device",
                 "reference", "--out", folder / "run"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("images per second"), std::string::npos);
  EXPECT_NE(outcome.out.find("test (also the validation set)\n  loss "), std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("@@@@@@"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("truth: 1"), std::string::npos) << outcome.out;

  HostTensor image({DType::u8, {12, 12}});
  io::write_png(folder / "a.png", image);
  EXPECT_EQ(
      run_tenon({"predict", folder / "run", "--input", folder / "a.png", "--device", "reference"})
          .status,
      0);
}

TEST_F(Commands, InspectShowsAModelWithoutTraining) {
  const Outcome outcome =
      run_tenon({"inspect", "--model", "lenet", "--batch-size", "2", "--device", "reference"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("conv2d (conv2d)             (None, 28, 28, 6)           156\n"),
            std::string::npos)
      << outcome.out;
  EXPECT_NE(outcome.out.find("Total parameters: 61,706"), std::string::npos) << outcome.out;
  const Outcome graph =
      run_tenon({"inspect", "--model", "mlp", "--hidden", "4", "--graph", "--device", "reference"});
  EXPECT_EQ(graph.status, 0) << graph.err;
  EXPECT_NE(graph.out.find("dot"), std::string::npos) << graph.out;
}

TEST_F(Commands, InspectShowsModelsOfTextsAndOfPixels) {
  for (const char* model : {"gpt:layers=1:heads=1:width=8", "bert:layers=1:heads=1:width=8",
                            "electra:layers=1:heads=1:width=8", "char-lstm:units=4"}) {
    const Outcome outcome =
        run_tenon({"inspect", "--model", model, "--input-shape", "8", "--classes", "20",
                   "--batch-size", "2", "--device", "reference"});
    EXPECT_EQ(outcome.status, 0) << model << ": " << outcome.err;
  }
  const Outcome pixels = run_tenon({"inspect", "--model", "unet:width=2:depth=1", "--input-shape",
                                    "8,8,3", "--batch-size", "2", "--device", "reference"});
  EXPECT_EQ(pixels.status, 0) << pixels.err;
  const Outcome refused =
      run_tenon({"inspect", "--model", "gpt", "--input-shape", "28,28", "--device", "reference"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.err,
            "error: --input-shape: gpt takes texts; one number of tokens expected, got 28,28\n");
}

TEST_F(Commands, NoEpochsWriteTheInitialWeights) {
  std::vector<std::string> arguments = train_arguments(points_, folder_ / "start");
  arguments[8] = "0";  // --epochs
  ASSERT_EQ(run_tenon(arguments).status, 0);
  const auto weights =
      io::read_safetensors(fs::path(folder_ / "start") / "model.safetensors").tensors;
  EXPECT_EQ(weights.size(), 4u);
  // A run from these weights is the run from the seed.
  const Outcome outcome = run_tenon(train_arguments(
      points_, folder_ / "again", {"--initial", folder_ / "start/model.safetensors"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(io::read_text_file(folder_ / "again/model.safetensors"),
            io::read_text_file(folder_ / "run/model.safetensors"));
}

TEST_F(Commands, OptionsReachTheRun) {
  const Outcome outcome = run_tenon(train_arguments(points_, folder_ / "o",
                                                    {"--log-every",
                                                     "1",
                                                     "--max-steps",
                                                     "3",
                                                     "--no-shuffle",
                                                     "--normalize",
                                                     "-1,1",
                                                     "--dtype",
                                                     "f64",
                                                     "--seed",
                                                     "18446744073709551615",
                                                     "--optimizer",
                                                     "sgd",
                                                     "--momentum",
                                                     "0.5",
                                                     "--learning-rate",
                                                     "0.25",
                                                     "--activation",
                                                     "tanh",
                                                     "--metrics",
                                                     "none"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Json run = Json::parse(io::read_text_file(folder_ / "o/run.json"));
  EXPECT_EQ(run["seed"], 18446744073709551615u);
  EXPECT_EQ(run["dtype"], "f64");
  EXPECT_EQ(run["normalization"]["kind"], "-1,1");
  EXPECT_EQ(run["training"]["shuffle"], false);
  EXPECT_EQ(run["optimizer"]["momentum"], 0.5);
  EXPECT_EQ(run["optimizer"]["learning_rate"], 0.25);
  EXPECT_EQ(run["model"]["layers"][1]["activation"], "tanh");
  EXPECT_EQ(run["metrics"], Json::array());
  const std::string metrics = io::read_text_file(folder_ / "o/metrics.csv");
  EXPECT_TRUE(metrics.starts_with("step,epoch,split,loss\n1,1,train,")) << metrics;
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 4) << metrics;
}

TEST_F(Commands, EveryOptimizerTrainsWithAScheduleAndClipping) {
  for (const char* kind : {"adamw", "adamax", "nadam", "rmsprop", "adagrad", "adadelta", "lion",
                           "lamb", "adafactor", "muon"}) {
    const Outcome outcome = run_tenon(
        train_arguments(points_, folder_ / kind,
                        {"--optimizer", kind, "--learning-rate", "0.03", "--weight-decay", "0.01",
                         "--decay-matrices-only", "--clip-global-norm", "2", "--average-decay",
                         "0.5", "--schedule", "cosine", "--warmup-steps", "2"}));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const Json run = Json::parse(io::read_text_file(folder_ / fmt::format("{}/run.json", kind)));
    EXPECT_EQ(run["optimizer"]["kind"], kind);
    EXPECT_EQ(run["optimizer"]["weight_decay"], 0.01);
    EXPECT_EQ(run["optimizer"]["options"]["clip_global_norm"], 2);
    EXPECT_EQ(run["optimizer"]["options"]["decay_matrices_only"], true);
    EXPECT_TRUE(io::file_exists(folder_ / fmt::format("{}/averages.safetensors", kind)));
    EXPECT_EQ(run["schedule"]["kind"], "cosine");
    EXPECT_EQ(run["schedule"]["warmup_steps"], 2);
    EXPECT_EQ(run["schedule"]["steps"], 6);  // two epochs of four without the warm-up
  }
}

TEST_F(Commands, RegressionAndBinaryLossesFit) {
  const Json regression = parsed(
      run_tenon(train_arguments(points_, folder_ / "r", {"--task", "regression", "--json"})));
  EXPECT_FALSE(regression["epochs"][0]["train"].contains("accuracy"));
  const Json evaluated = parsed(run_tenon(
      {"evaluate", folder_ / "r", "--data", "csv:" + points_, "--device", "reference", "--json"}));
  EXPECT_EQ(evaluated["samples"], 30);
  io::write_file_atomically(folder_ / "two.csv", "1,2,no\n3,4,yes\n5,6,no\n");
  for (const char* loss : {"binary_cross_entropy", "binary_cross_entropy_from_logits",
                           "sparse_categorical_cross_entropy"}) {
    const Json binary = parsed(run_tenon(
        train_arguments(folder_ / "two.csv", folder_ / loss, {"--loss", loss, "--json"})));
    EXPECT_TRUE(binary["epochs"][0]["train"].contains("accuracy"));
    EXPECT_TRUE(binary["predictions"][0]["truth"] == "no") << binary["predictions"].dump();
  }
}

TEST_F(Commands, KilledAndResumedEndsWithTheSameBits) {
  const auto arguments = [&](const std::string& out) {
    std::vector<std::string> list =
        train_arguments(points_, out, {"--resume", "--checkpoint-every", "1", "--log-every", "1"});
    list[8] = "6";  // --epochs
    return list;
  };
  ASSERT_EQ(run_tenon(arguments(folder_ / "whole")).status, 0);
  for (useconds_t wait = 20'000;; wait += 25'000) {
    const pid_t child =
        start_tenon(arguments(folder_ / "killed"), folder_ / "out", folder_ / "err");
    ::usleep(wait);
    ::kill(child, SIGKILL);
    if (exit_status(child) == 0) break;
  }
  for (const char* file : {"model.safetensors", "state.safetensors", "metrics.csv", "curves.svg"})
    EXPECT_EQ(io::read_text_file(fs::path(folder_ / "killed") / file) ==
                  io::read_text_file(fs::path(folder_ / "whole") / file),
              std::string_view(file) != "curves.svg")  // its title is the folder's name
        << file;
}

TEST_F(Commands, InterruptedSavesAndExits130) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string out = folder_ / fmt::format("signal{}", signal);
    std::vector<std::string> arguments = train_arguments(points_, out);
    arguments[8] = "1000000";
    const pid_t child = start_tenon(arguments, folder_ / "out", folder_ / "err");
    while (!fs::exists(out + "/curves.svg")) ::usleep(10'000);  // an epoch is done
    ::kill(child, signal);
    EXPECT_EQ(exit_status(child), 130);
    const std::string err = io::read_text_file(folder_ / "err");
    EXPECT_NE(err.find("; --resume goes on from here\n"), std::string::npos) << err.substr(0, 500);
    const std::string stopped = "stopped at step ";
    const std::string step = err.substr(err.find(stopped) + stopped.size());
    const Outcome resumed = run_tenon([&] {
      std::vector<std::string> more = arguments;
      more.insert(more.end(), {"--resume", "--max-steps", step.substr(0, step.find(';'))});
      return more;
    }());
    EXPECT_NE(resumed.err.find("resumed " + out + " at step "), std::string::npos) << resumed.err;
  }
}

TEST(Help, ExistsForEveryCommand) {
  for (const char* command :
       {"train", "evaluate", "predict", "inspect", "profile", "bench", "devices", "cache"}) {
    const Outcome outcome = run_tenon({command, "--help"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_NE(outcome.out.find("--json"), std::string::npos) << command;
    EXPECT_NE(outcome.out.find(std::string("Usage: tenon ") + command + " [OPTIONS]"),
              std::string::npos)
        << outcome.out;
  }
  const std::string train = run_tenon({"train", "--help"}).out;
  EXPECT_NE(train.find("resnet20:width=8 (required)"), std::string::npos) << train;
  EXPECT_NE(train.find("stream:ADDRESS (required)"), std::string::npos) << train;
  EXPECT_EQ(run_tenon({"--version"}).out, "tenon 0.1.0\n");
}

}  // namespace
}  // namespace tenon::cli
