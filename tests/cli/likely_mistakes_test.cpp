// What newcomers type first, and what the program says to it.
#include <cmath>

#include "cli_testing.h"
#include "tenon/io/png.h"
#include "tenon/io/safetensors.h"
#include "tenon/io/wav.h"

namespace tenon::cli {
namespace {

class LikelyMistakes : public testing::Test {
 protected:
  void SetUp() override { write_points(folder_ / "points.csv", 24); }

  Outcome train(const std::vector<std::string>& more, const std::string& model = "mlp",
                const std::string& data = "") const {
    std::vector<std::string> arguments = {
        "train",    "--model",  model, "--data", data.empty() ? points_ : data,
        "--device", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  // Of an option that is refused.
  std::string error(const std::vector<std::string>& more, const std::string& model = "mlp",
                    const std::string& data = "") const {
    const Outcome outcome = train(more, model, data);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    return outcome.err;
  }
  // The end of an error.
  std::string end_of(const std::string& error) const {
    const std::size_t place = error.rfind("; ");
    return place == std::string::npos ? error : error.substr(place + 2);
  }
  // Classes `low` and `high` of sounds of so many frames.
  std::string write_sounds(std::int64_t rate, std::int64_t frames, std::int64_t other) const {
    for (const char* name : {"high", "low"}) {
      std::filesystem::create_directories(folder_ / (std::string("sounds/") + name));
      for (int i = 0; i < 4; ++i) {
        HostTensor sound({DType::f32, {i == 3 ? other : frames, 1}});
        for (std::int64_t k = 0; k < sound.size(); ++k)
          sound.as<float>()[static_cast<std::size_t>(k)] =
              std::sin(static_cast<float>(k) * (name[0] == 'l' ? 0.1f : 1.0f));
        io::write_file_atomically(folder_ / fmt::format("sounds/{}/{}.wav", name, i),
                                  io::wav_bytes(sound, rate));
      }
    }
    return "wav:" + (folder_ / "sounds");
  }
  std::string write_images(const std::vector<std::string>& parts) const {
    for (const std::string& part : parts)
      for (const char* name : {"cat", "dog"}) {
        std::filesystem::create_directories(folder_ / ("photos" + part + "/" + name));
        for (int i = 0; i < 4; ++i)
          io::write_png(folder_ / fmt::format("photos{}/{}/{}.png", part, name, i),
                        filled({DType::u8, {8, 8, 3}}, name[0] == 'c' ? 20 : 200));
      }
    return "images:" + (folder_ / "photos");
  }
  const TemporaryFolder folder_;
  const std::string points_ = "csv:" + (folder_ / "points.csv");
};

TEST_F(LikelyMistakes, AbbreviationsOfKerasAndPyTorch) {
  EXPECT_EQ(error({"--lr", "1"}),
            "error: train: unknown option \"--lr\"; did you mean \"--learning-rate\"?\n");
  for (const auto& [typed, meant] :
       {std::pair("mse", "mean_squared_error"), std::pair("mae", "mean_absolute_error"),
        std::pair("cross_entropy", "sparse_categorical_cross_entropy_from_logits"),
        std::pair("CrossEntropyLoss", "sparse_categorical_cross_entropy_from_logits"),
        std::pair("bce", "binary_cross_entropy_from_logits"), std::pair("smooth_l1", "huber")})
    EXPECT_EQ(end_of(error({"--loss", typed})), fmt::format("did you mean \"{}\"?\n", meant));
  for (const auto& [typed, meant] : {std::pair("acc", "accuracy"), std::pair("auc", "roc_auc"),
                                     std::pair("rmse", "root_mean_squared_error")})
    EXPECT_EQ(end_of(error({"--metrics", typed})), fmt::format("did you mean \"{}\"?\n", meant));
}

TEST_F(LikelyMistakes, NamesOfData) {
  EXPECT_EQ(end_of(error({}, "mlp", "flowers.csv")), "did you mean \"csv:flowers.csv\"?\n");
  EXPECT_EQ(end_of(error({}, "mlp", "a.npz")), "did you mean \"npz:a.npz\"?\n");
  EXPECT_EQ(error({"--validation", "20%"}),
            "error: --validation: a fraction above 0 and below 1 expected, got \"20%\"; did you "
            "mean \"0.2\"?\n");
  EXPECT_EQ(end_of(error({"--monitor", "validation_loss", "--early-stopping", "2"})),
            "--validation gives the data for it\n");
}

TEST_F(LikelyMistakes, OptionsThatDoNotFitTheDataHaveStatus2) {
  EXPECT_EQ(error({"--metrics", "r2"}),
            fmt::format("error: --metrics: r2 is of numbers, the labels of {} are classes\n",
                        folder_ / "points.csv"));
  EXPECT_EQ(error({"--initial", "x.safetensors", "--weights-map", "torchvsion-resnet"}),
            "error: --weights-map: unknown map \"torchvsion-resnet\"; known: torchvision-resnet, "
            "torchvision-mobilenet-v2, torchvision-vit, huggingface-gpt2, huggingface-bert, or "
            "FILE.json; did you mean \"torchvision-resnet\"?\n");
  const std::string images = write_images({""});
  EXPECT_EQ(error({}, "unet", images),
            fmt::format("error: --model: unet gives an output for each pixel, the labels of {} are "
                        "one class for each sample; resnet20 takes them\n",
                        folder_ / "photos"));
  const std::string words = folder_ / "words.csv";
  io::write_file_atomically(words, std::string_view("a,kind\n1,ant\n2,bee\n3,ant\n"));
  EXPECT_EQ(error({"--loss", "mean_squared_error"}, "mlp", "csv:" + words),
            fmt::format("error: --loss: mean_squared_error takes numbers, the labels of {} are "
                        "classes such as \"ant\"; sparse_categorical_cross_entropy_from_logits "
                        "takes them\n",
                        words));
}

TEST_F(LikelyMistakes, WeightsOfAnotherProgramNeedAMap) {
  io::write_safetensors(folder_ / "torch.safetensors",
                        {{"fc1.weight", HostTensor({DType::f32, {4, 2}})},
                         {"fc1.bias", HostTensor({DType::f32, {4}})}});
  const Outcome outcome = train({"--initial", folder_ / "torch.safetensors", "--hidden", "4"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err,
            fmt::format("error: {}: weight \"dense/kernel\" (f32[2,4]) is missing; help: the file "
                        "holds \"fc1.bias\" f32[4], \"fc1.weight\" f32[4,2]; --weights-map says "
                        "which tensors the weights are made of (load_pretrained in C++)\n",
                        folder_ / "torch.safetensors"));
}

TEST_F(LikelyMistakes, ImagesOfOtherKindsAreCounted) {
  const std::string images = write_images({""});
  io::write_file_atomically(folder_ / "photos/cat/a.bmp", std::string_view("BM"));
  io::write_file_atomically(folder_ / "photos/dog/b.webp", std::string_view("RIFF"));
  const Outcome outcome = train({"--epochs", "1"}, "mlp:hidden=4", images);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find(fmt::format("warning: {}: 2 images are left out, neither PNG nor "
                                         "JPEG: {}, ...\n",
                                         images, folder_ / "photos/cat/a.bmp")),
            std::string::npos)
      << outcome.err;
}

TEST_F(LikelyMistakes, SoundsOfUnequalLengthTakeFrames) {
  const std::string sounds = write_sounds(8000, 400, 300);
  const Outcome refused = train({}, "mlp:hidden=4", sounds);
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(
      refused.err,
      fmt::format("error: sample 3 of epoch 0: {}: x is f32[300], but {} has f32[400]; help: "
                  "--frames N cuts or fills sounds to one length (WavFolderOptions::frames in "
                  "C++), --bad-samples skip leaves such sounds out\n",
                  folder_ / "sounds/high/3.wav", folder_ / "sounds/high/0.wav"));
  const Outcome trained =
      train({"--frames", "350", "--epochs", "1", "--out", folder_ / "run"}, "mlp:hidden=4", sounds);
  EXPECT_EQ(trained.status, 0) << trained.err;
  const Outcome judged =
      run_tenon({"evaluate", folder_ / "run", "--data", sounds, "--device", "reference"});
  EXPECT_EQ(judged.status, 0) << judged.err;
  EXPECT_EQ(error({"--frames", "5"}),
            fmt::format("error: --frames: only for wav:FOLDER, the data is \"{}\"\n", points_));
}

TEST_F(LikelyMistakes, SpeechCommandsTakeTheRateOfTheSounds) {
  const std::string sounds = write_sounds(8000, 2400, 2400);
  EXPECT_EQ(error({}, "speech-commands:rate=16000", sounds),
            fmt::format("error: --model: rate=16000: the sounds of {} have 8000 frames per "
                        "second\n",
                        sounds));
  const std::string model = "speech-commands:filters=2:blocks=1";
  const std::vector<std::string> one_step = {"--max-steps", "1",     "--batch-size",
                                             "4",           "--out", folder_ / "run"};
  const Outcome outcome = train(one_step, model, sounds);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string run = io::read_text_file(folder_ / "run/run.json");
  EXPECT_NE(run.find("\"rate\": 8000"), std::string::npos) << run;
}

TEST_F(LikelyMistakes, HelpShowsWhatIsNeeded) {
  const std::string evaluate = run_tenon({"evaluate", "--help"}).out;
  EXPECT_NE(evaluate.find("evaluate [OPTIONS] run\n"), std::string::npos) << evaluate;
  const std::string help = run_tenon({"train", "--help"}).out;
  EXPECT_EQ(help.find("... ..."), std::string::npos);
  EXPECT_EQ(help.find("--window N=0"), std::string::npos);
  EXPECT_NE(help.find("--loss help lists the names"), std::string::npos);
}

}  // namespace
}  // namespace tenon::cli
