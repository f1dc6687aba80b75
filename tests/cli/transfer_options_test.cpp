// Weights of other files, frozen ones and samples as their own targets, by option.
#include <algorithm>

#include "cli_testing.h"
#include "tenon/io/safetensors.h"

namespace tenon::cli {
namespace {

class TransferOptions : public testing::Test {
 protected:
  void SetUp() override {
    write_points(points_, 31);
    // Two layers as PyTorch writes them: [out, in].
    io::NamedTensors tensors;
    tensors["fc1.weight"] = counting({4, 2}, 0.25f);
    tensors["fc1.bias"] = counting({4}, -0.5f);
    tensors["fc2.weight"] = counting({3, 4}, 0.125f);
    tensors["fc2.bias"] = counting({3}, 1);
    io::write_safetensors(file_, tensors, {});
    io::write_file_atomically(map_, std::string_view(R"({"weights": {
      "dense/kernel": {"from": "fc1.weight", "change": "output_last"},
      "dense/bias": "fc1.bias",
      "dense_1/kernel": {"from": "fc2.weight", "change": "output_last"},
      "dense_1/bias": "fc2.bias"}})"));
  }
  static HostTensor counting(Shape shape, float step) {
    HostTensor tensor({DType::f32, std::move(shape)});
    for (std::size_t i = 0; i < tensor.as<float>().size(); ++i)
      tensor.as<float>()[i] = step * static_cast<float>(i);
    return tensor;
  }
  Outcome train(const std::string& run, const std::vector<std::string>& more,
                const std::string& epochs = "2") const {
    std::vector<std::string> arguments = train_arguments(points_, folder_ / run, more);
    *(std::ranges::find(arguments, "--epochs") + 1) = epochs;
    return run_tenon(arguments);
  }
  io::NamedTensors weights(const std::string& run) const {
    return io::read_safetensors(folder_ / run + "/model.safetensors").tensors;
  }
  std::string error(const std::vector<std::string>& more, int status = 2) const {
    const Outcome outcome = train("refused", more);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    return outcome.err.substr(0, outcome.err.find('\n'));
  }

  const TemporaryFolder folder_;
  const std::string points_ = folder_ / "points.csv", file_ = folder_ / "torch.safetensors",
                    map_ = folder_ / "map.json";
};

TEST_F(TransferOptions, AMapNamesTheTensors) {
  const Outcome outcome = train("run", {"--initial", file_, "--weights-map", map_}, "0");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const io::NamedTensors found = weights("run");
  EXPECT_EQ(found.at("dense/kernel"),
            make_tensor<float>({2, 4}, {0, 0.5f, 1, 1.5f, 0.25f, 0.75f, 1.25f, 1.75f}));
  EXPECT_EQ(found.at("dense/bias"), counting({4}, -0.5f));
  EXPECT_EQ(found.at("dense_1/bias"), counting({3}, 1));
}

TEST_F(TransferOptions, SkippedWeightsKeepTheirOwn) {
  ASSERT_EQ(train("own", {}, "0").status, 0);
  const Outcome outcome = train("run",
                                {"--initial", file_, "--weights-map", map_, "--skip-weights",
                                 "dense_1/*", "--skip-weights", "dense/bias"},
                                "0");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const io::NamedTensors found = weights("run"), own = weights("own");
  EXPECT_NE(found.at("dense/kernel"), own.at("dense/kernel"));
  for (const char* name : {"dense/bias", "dense_1/kernel", "dense_1/bias"})
    EXPECT_EQ(found.at(name), own.at(name)) << name;
}

TEST_F(TransferOptions, FrozenWeightsAreNotTrained) {
  ASSERT_EQ(train("start", {}, "0").status, 0);
  const Outcome outcome = train("run", {"--freeze", "dense/*", "--freeze", "dense_1/bias"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const io::NamedTensors before = weights("start"), after = weights("run");
  for (const char* name : {"dense/kernel", "dense/bias", "dense_1/bias"})
    EXPECT_EQ(after.at(name), before.at(name)) << name;
  EXPECT_NE(after.at("dense_1/kernel"), before.at("dense_1/kernel"));
}

TEST_F(TransferOptions, ThatDoNotFitAreNamed) {
  EXPECT_EQ(error({"--weights-map", map_}),
            "error: --weights-map: says how --initial is read, which is missing");
  EXPECT_EQ(error({"--skip-weights", "dense/*"}),
            "error: --skip-weights: says how --initial is read, which is missing");
  EXPECT_EQ(error({"--freeze", ""}), "error: --freeze: expected a pattern, got an empty one");
  const std::string frozen = error({"--freeze", "conv2d/*"});
  EXPECT_TRUE(
      frozen.starts_with("error: --freeze: no weight of the model is of the pattern \"conv2d/*\"; "
                         "help: the names are "))
      << frozen;
  const std::string unknown = error({"--initial", file_, "--weights-map", "torch"});
  EXPECT_TRUE(unknown.starts_with("error: --weights-map: unknown map \"torch\"; known: "))
      << unknown;
  io::write_file_atomically(folder_ / "short.json",
                            std::string_view(R"({"weights": {"dense/bias": "fc1.bias"}})"));
  const std::string lacking =
      error({"--initial", file_, "--weights-map", folder_ / "short.json"}, 1);
  EXPECT_NE(lacking.find("\"dense/kernel\""), std::string::npos) << lacking;
}

TEST_F(TransferOptions, SamplesAreTheirOwnTargets) {
  std::vector<std::string> arguments = {"train",
                                        "--model",
                                        "autoencoder:hidden=4:code=2",
                                        "--data",
                                        "csv:" + points_,
                                        "--label",
                                        "class",
                                        "--task",
                                        "reconstruction",
                                        "--normalize",
                                        "0,1",
                                        "--validation",
                                        "0.2",
                                        "--epochs",
                                        "2",
                                        "--device",
                                        "reference",
                                        "--out",
                                        folder_ / "run"};
  const Outcome outcome = run_tenon(arguments);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(io::read_text_file(folder_ / "run/run.json"));
  EXPECT_EQ(json["loss"], "mean_squared_error");
  EXPECT_EQ(json["input"], json["target"]);
  // evaluate leaves the label out as told, and knows the task by the run.
  const auto evaluate = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"evaluate", folder_ / "run", "--data", "csv:" + points_,
                                    "--device", "reference",     "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return run_tenon(all);
  };
  const Outcome told = evaluate({"--label", "class", "--task", "reconstruction"});
  ASSERT_EQ(told.status, 0) << told.err;
  const Outcome known = evaluate({"--label", "class"});
  ASSERT_EQ(known.status, 0) << known.err;
  EXPECT_EQ(told.out, known.out);
  const double loss = nlohmann::json::parse(told.out).at("loss");
  EXPECT_GT(loss, 0);
  EXPECT_LT(loss, 1);  // of numbers from 0 to 1
  // The run knows its features by name: the label is no third one.
  EXPECT_EQ(evaluate({"--task", "reconstruction"}).out, known.out);
  // Made by a worker they are the same.
  const std::string model = io::read_text_file(folder_ / "run/model.safetensors");
  arguments.insert(arguments.end(), {"--workers", "1", "--overwrite"});
  EXPECT_EQ(run_tenon(arguments).status, 0);
  EXPECT_EQ(io::read_text_file(folder_ / "run/model.safetensors"), model);
}

}  // namespace
}  // namespace tenon::cli
