// Streams, early stopping, kept checkpoints and the like by options of `tenon train`.
#include <algorithm>
#include <cmath>

#include "cli_testing.h"
#include "tenon/io/jpeg.h"
#include "tenon/io/safetensors.h"

namespace tenon::cli {
namespace {

class LoopOptions : public testing::Test {
 protected:
  void SetUp() override { write_points(points_, 31); }

  Outcome train(const std::string& run, const std::vector<std::string>& more) const {
    return run_tenon(train_arguments(points_, folder_ / run, more));
  }
  std::string model(const std::string& run) const {
    return io::read_text_file(folder_ / run + "/model.safetensors");
  }

  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv";
};

TEST_F(LoopOptions, WorkersChangeNoBit) {
  ASSERT_EQ(train("memory", {"--validation", "0.2"}).status, 0);
  for (const char* workers : {"0", "2"}) {
    const Outcome outcome =
        train(std::string("workers") + workers, {"--validation", "0.2", "--workers", workers});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_NE(outcome.err.find("  input stall "), std::string::npos) << outcome.err;
    EXPECT_EQ(model(std::string("workers") + workers), model("memory"));
  }
}

TEST_F(LoopOptions, ImagesAreDecodedOnTheWay) {
  for (const char* name : {"dark", "light"}) {
    std::filesystem::create_directories(folder_ / (std::string("images/") + name));
    for (int i = 0; i < 9; ++i) {
      HostTensor image({DType::u8, {16, 16, 3}});
      for (std::uint8_t& value : image.as<std::uint8_t>())
        value = static_cast<std::uint8_t>((name[0] == 'd' ? 20 : 200) + i);
      io::write_file_atomically(folder_ / fmt::format("images/{}/{}.jpg", name, i),
                                io::jpeg_bytes(image));
    }
  }
  io::write_file_atomically(folder_ / "images/light/5.jpg", std::string_view("damaged"));
  const auto run = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train",
                                          "--model",
                                          "mlp",
                                          "--hidden",
                                          "4",
                                          "--data",
                                          "images:" + (folder_ / "images"),
                                          "--epochs",
                                          "3",
                                          "--batch-size",
                                          "4",
                                          "--device",
                                          "reference",
                                          "--out",
                                          folder_ / out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  };
  const Outcome stopped = run("stopped", {"--workers", "2"});
  EXPECT_EQ(stopped.status, 1);
  EXPECT_NE(stopped.err.find("images/light/5.jpg: byte 0: neither a PNG nor a JPEG file"),
            std::string::npos)
      << stopped.err;
  EXPECT_NE(stopped.err.find("sample 14 of epoch 0: "), std::string::npos) << stopped.err;
  const Outcome two = run("two", {"--workers", "2", "--bad-samples", "skip"});
  ASSERT_EQ(two.status, 0) << two.err;
  // In three epochs.
  EXPECT_NE(two.err.find(": 3 samples were skipped\n  " + (folder_ / "images/light/5.jpg") +
                         ": byte 0: neither a PNG nor a JPEG file by its first bytes\n"),
            std::string::npos)
      << two.err;
  const Outcome none = run("none", {"--workers", "0", "--bad-samples", "skip"});
  ASSERT_EQ(none.status, 0) << none.err;
  EXPECT_EQ(model("two"), model("none"));
}

TEST_F(LoopOptions, ClassesOfAStreamAreCounted) {
  std::string lines;
  for (int i = 0; i < 24; ++i)
    lines += fmt::format("{{\"x\": [{}, 1.5], \"y\": {}}}\n", i % 5, i % 3);
  io::write_file_atomically(folder_ / "records", std::string_view(lines));
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        "train",    "--model", "mlp",          "--data", "stream:" + (folder_ / "records"),
        "--epochs", "1",       "--batch-size", "8",      "--device",
        "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  };
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("epoch 1/1  step 3  "), std::string::npos) << outcome.err;
  const Outcome refused = run({"--workers", "1"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("error: --classes: missing: "), std::string::npos) << refused.err;
}

TEST_F(LoopOptions, AStreamOfUnknownSizeIsMeasured) {
  std::string lines;
  for (int i = 0; i < 24; ++i)
    lines += fmt::format("{{\"x\": [{}, 1.5], \"y\": {}.5}}\n", i % 5, i % 3);
  io::write_file_atomically(folder_ / "records", std::string_view(lines));
  const std::string run = folder_ / "run", records = "stream:" + (folder_ / "records");
  const Outcome outcome =
      run_tenon({"train", "--model", "mlp", "--hidden", "4", "--data", records, "--epochs", "2",
                 "--batch-size", "8", "--device", "reference", "--out", run});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with("cost\n  samples per second")) << outcome.out;
  EXPECT_EQ(outcome.out.find(" 0 (whole epochs"), std::string::npos) << outcome.out;
  EXPECT_GT(nlohmann::json::parse(io::read_text_file(run + "/cost.json"))["samples_per_second"], 0);
  const Outcome report = run_tenon({"report", run, "--device", "reference"});
  ASSERT_EQ(report.status, 0) << report.err;
  const std::string page = io::read_text_file(run + "/report.html");
  EXPECT_NE(page.find("samples per second"), std::string::npos);
  EXPECT_EQ(page.find("(0 samples)"), std::string::npos);
}

TEST_F(LoopOptions, KeepWhatTheySay) {
  const Outcome outcome =
      train("run", {"--validation", "0.3", "--keep-best", "--keep-checkpoints", "1", "--monitor",
                    "validation_accuracy", "--tensorboard", "--validate-every", "2",
                    "--sanity-batches", "1", "--time-limit", "1000"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const char* name : {"best.safetensors", "checkpoints/epoch-00002/run.json",
                           "tensorboard/train", "tensorboard/validation"})
    EXPECT_TRUE(std::filesystem::exists(folder_ / "run/" + name)) << name;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/checkpoints/epoch-00001"));
}

TEST_F(LoopOptions, EarlyStoppingEndsTheTraining) {
  const Outcome outcome = train("run", {"--epochs", "30", "--learning-rate", "1e-30",
                                        "--early-stopping", "2", "--validation", "0.3"});
  // --epochs was given twice.
  EXPECT_EQ(outcome.status, 2) << outcome.err;
  std::vector<std::string> arguments =
      train_arguments(points_, folder_ / "run",
                      {"--learning-rate", "1e-30", "--early-stopping", "2", "--validation", "0.3"});
  *(std::ranges::find(arguments, "--epochs") + 1) = "30";
  const Outcome stopped = run_tenon(arguments);
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_NE(stopped.err.find("epoch 3/30"), std::string::npos) << stopped.err;
  EXPECT_EQ(stopped.err.find("epoch 4/30"), std::string::npos) << stopped.err;
}

TEST_F(LoopOptions, AFastRunWritesNothing) {
  const Outcome outcome = train("run", {"--fast-dev-run", "--validation", "0.3", "--keep-best"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(LoopOptions, NarrowPrecisionTellsWhatWasSkipped) {
  const Outcome outcome = train("run", {"--precision", "fp16", "--loss-scale", "1e30"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("of 8 updates were skipped because a gradient overflowed"),
            std::string::npos)
      << outcome.err;
}

TEST_F(LoopOptions, UpdatesAreCountedAndNotBatches) {
  const Outcome outcome = train("run", {"--loss-scale", "1024", "--accumulate", "4"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("loss scale 1024; 0 of 2 updates were skipped"), std::string::npos)
      << outcome.err;
}

TEST_F(LoopOptions, ANanEndsTheTrainingAndIsExplained) {
  // The second step computes with weights of about 1e37.
  const Outcome outcome = train("run", {"--optimizer", "gradient_descent", "--learning-rate",
                                        "1e38", "--nan-guard", "--checkpoint-every", "1"});
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("step 2 (epoch 1): "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(" made by "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("error: stopped by --nan-guard; " + (folder_ / "run") +
                             " holds the weights before that step\n"),
            std::string::npos)
      << outcome.err;
  const auto weights = io::read_safetensors(folder_ / "run/model.safetensors").tensors;
  for (const auto& [name, tensor] : weights)
    for (const float value : tensor.as<float>()) EXPECT_TRUE(std::isfinite(value)) << name;
  // A sound training is not changed.
  ASSERT_EQ(train("guarded", {"--nan-guard"}).status, 0);
  ASSERT_EQ(train("plain", {}).status, 0);
  EXPECT_EQ(model("guarded"), model("plain"));
}

TEST_F(LoopOptions, ACsvLogHasARowForEachEpoch) {
  const std::string log = folder_ / "logs/of/log.csv";  // folders that are made
  ASSERT_EQ(train("run", {"--csv-log", log, "--validation", "0.3", "--max-steps", "3"}).status, 0);
  const Outcome outcome = train("run", {"--csv-log", log, "--validation", "0.3", "--resume"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string text = io::read_text_file(log);
  EXPECT_TRUE(text.starts_with(
      "epoch,step,loss,accuracy,validation_loss,validation_accuracy,seconds\n1,3,"))
      << text;
  EXPECT_NE(text.find("\n2,6,"), std::string::npos) << text;
  EXPECT_EQ(std::ranges::count(text, '\n'), 3) << text;
}

TEST_F(LoopOptions, LogsAreAmongWhatIsWritten) {
  const std::string log = folder_ / "log.csv", run = folder_ / "run";
  const Outcome kept = train("run", {"--csv-log", log, "--tensorboard"});
  ASSERT_EQ(kept.status, 0) << kept.err;
  EXPECT_NE(kept.out.find(fmt::format("\n  {}/tensorboard/\n  {}\nnext\n", run, log)),
            std::string::npos)
      << kept.out;
  // Without a run folder, too.
  std::vector<std::string> arguments = train_arguments(points_, "", {"--csv-log", log});
  arguments.erase(std::ranges::find(arguments, "--out"), std::ranges::find(arguments, "") + 1);
  const Outcome loose = run_tenon(arguments);
  ASSERT_EQ(loose.status, 0) << loose.err;
  EXPECT_NE(
      loose.out.find(fmt::format("written\n  {}\nnot saved: --out FOLDER keeps the model\n", log)),
      std::string::npos)
      << loose.out;
}

TEST_F(LoopOptions, ThatDoNotFitAreNamed) {
  const auto error = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train", "--model", "mlp", "--data", "csv:" + points_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    return outcome.err.substr(0, outcome.err.find('\n'));
  };
  EXPECT_EQ(error({"--keep-best"}), "error: --keep-best: needs --out, where its files go");
  EXPECT_EQ(error({"--monitor", "loss"}),
            "error: --monitor: says what --early-stopping, --keep-best or --restore-best go by, "
            "which are "
            "missing");
  EXPECT_EQ(error({"--monitor", "validation_acuracy", "--early-stopping", "2"}),
            "error: --monitor: an epoch has no value \"validation_acuracy\"; one of loss, accuracy "
            "expected");
  EXPECT_EQ(error({"--monitor", "acuracy", "--early-stopping", "2", "--validation", "0.3"}),
            "error: --monitor: an epoch has no value \"acuracy\"; one of loss, accuracy, "
            "validation_loss, validation_accuracy expected");
  for (const auto& [option, value] :
       {std::pair("--loss-scale-growth", "3"), std::pair("--loss-scale-backoff", "0.25"),
        std::pair("--loss-scale-interval", "9")})
    EXPECT_EQ(error({option, value}),
              fmt::format("error: {}: there is no loss scale; add --loss-scale 32768, or "
                          "--precision fp16",
                          option));
  EXPECT_EQ(error({"--precision", "bf16", "--dtype", "f64"}),
            "error: --precision: bf16 is for weights of f32, --dtype is f64");
  EXPECT_EQ(error({"--time-limit", "0"}), "error: --time-limit: must be above 0, got \"0\"");
  EXPECT_EQ(error({"--validate-every", "2"}),
            "error: --validate-every: needs validation data; add --validation");
  EXPECT_EQ(error({"--workers", "1000"}),
            "error: --workers: expected a whole number from 0 to 256, got \"1000\"");
}

}  // namespace
}  // namespace tenon::cli
