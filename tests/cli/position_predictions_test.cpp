// What train and predict tell of models with a class for every step of a text or pixel of an image.
#include <cmath>

#include "cli_testing.h"
#include "tenon/io/npy.h"
#include "tenon/io/npz.h"
#include "tenon/nn/convolution.h"
#include "tenon/train/trainer.h"

namespace tenon::cli {
namespace {

std::vector<std::string> rows_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What follows the name of a fact, "predicted" or "truth", for the first time.
std::string fact(const std::string& text, const std::string& name) {
  const std::size_t place = text.find("\n    " + name + " ");
  EXPECT_NE(place, std::string::npos) << name << "\n" << text;
  if (place == std::string::npos) return "";
  const std::size_t start = text.find_first_not_of(' ', place + 5 + name.size());
  return text.substr(start, text.find('\n', start) - start);
}

// The likeliest class of the outputs that begin at an element, and its probability.
std::pair<std::int64_t, double> softmax_of(const HostTensor& logits, std::int64_t first,
                                           std::int64_t count) {
  std::int64_t best = 0;
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += std::exp(element_as_double(logits, first + i));
    if (element_as_double(logits, first + i) > element_as_double(logits, first + best)) best = i;
  }
  return {best, std::exp(element_as_double(logits, first + best)) / sum};
}

class PositionPredictions : public testing::Test {
 protected:
  Outcome train(const std::string& model, const std::string& data,
                const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {
        "train", "--model", model,      "--data",    data,          "--batch-size", "4",
        "--out", run_,      "--device", "reference", "--overwrite", "--window",     "16"};
    if (!data.starts_with("text:")) arguments.resize(arguments.size() - 2);
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  Outcome predict(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"predict",         run_,       "--input",
                                          folder_ / "x.npy", "--device", "reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_tenon(arguments);
  }
  std::string write_text() const {
    std::string text;
    for (int i = 0; i < 20; ++i) text += "abc\ndef ";
    io::write_file_atomically(folder_ / "text", text);
    return "text:" + (folder_ / "text");
  }
  // Three windows of ids of that text.
  void write_ids() const {
    HostTensor ids({DType::i32, {3, 16}});
    for (std::size_t i = 0; i < 48; ++i) ids.as<std::int32_t>()[i] = static_cast<int>(i * 5 % 8);
    io::write_npy(folder_ / "x.npy", ids);
  }
  // Images [4, 6] of which the bright pixels are class 2, the dark ones class 0.
  std::string write_masks() const {
    HostTensor x({DType::f32, {8, 4, 6, 1}}), y({DType::i32, {8, 4, 6}});
    for (std::size_t i = 0; i < 192; ++i) {
      const bool is_bright = i * 7 % 4 == 0;
      x.as<float>()[i] = is_bright ? 1 : -1;
      y.as<std::int32_t>()[i] = is_bright ? 2 : 0;
    }
    io::write_npz(folder_ / "masks.npz", {{"x", x}, {"y", y}});
    io::write_npy(folder_ / "x.npy", x);
    return "npz:" + (folder_ / "masks.npz");
  }
  const TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
};

TEST_F(PositionPredictions, TrainShowsTheTextThatFollows) {
  const std::string data = write_text();
  for (const char* model : {"gpt:layers=1:heads=1:width=8", "char-lstm:embedding=8:units=8"}) {
    const Outcome outcome = train(model, data, {"--max-steps", "3"});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    // The window begins with "abc"; the text that follows each of its characters is known.
    EXPECT_EQ(fact(outcome.out, "truth"),
              "\"bc\xe2\x8f\x8e"
              "def abc\xe2\x8f\x8e"
              "def a\"")
        << outcome.out;
    EXPECT_NE(outcome.out.find(" % of 16 positions right\n"), std::string::npos) << outcome.out;
    EXPECT_EQ(fact(outcome.out, "predicted").front(), '"');
  }
}

TEST_F(PositionPredictions, TrainTellsWhichPartIsRight) {
  const Outcome outcome = train("char-lstm:embedding=16:units=16", write_text(),
                                {"--epochs", "60", "--learning-rate", "0.03", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const nlohmann::json json = nlohmann::json::parse(outcome.out);
  const nlohmann::json& first = json["predictions"][0];
  EXPECT_EQ(first["shape"], nlohmann::json({16}));
  ASSERT_EQ(first["predicted"].size(), 16u);
  std::int64_t right = 0;
  for (std::size_t i = 0; i < 16; ++i) right += first["predicted"][i] == first["truth"][i];
  EXPECT_EQ(first["right"], static_cast<double>(right) / 16);
  EXPECT_GE(right, 14);  // the text is simple
  EXPECT_EQ(first["truth"][2], "\n");
  for (const auto& probability : first["probability"]) EXPECT_GE(probability, 1.0 / 8);
}

TEST_F(PositionPredictions, TokensOfSeveralCharactersStandApart) {
  const Outcome outcome =
      train("gpt:layers=1:heads=1:width=8", write_text(),
            {"--max-steps", "2", "--tokenizer", TENON_TEST_DATA "/tokenizer/byte_level.json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(fact(outcome.out, "truth").front(), '"');
  EXPECT_NE(fact(outcome.out, "truth").find(' '), std::string::npos);
  EXPECT_LE(fact(outcome.out, "truth").size(), 100u);
}

TEST_F(PositionPredictions, PredictGivesASoftmaxOfEachStep) {
  ASSERT_EQ(train("gpt:layers=1:heads=1:width=8", write_text(), {"--max-steps", "3"}).status, 0);
  write_ids();
  const std::vector<std::string> names = {"\n", " ", "a", "b", "c", "d", "e", "f"};
  ASSERT_EQ(predict({"--output", folder_ / "p.npy"}).status, 0);
  const HostTensor logits = io::read_npy(folder_ / "p.npy");
  ASSERT_EQ(logits.shape(), (Shape{3, 16, 8}));
  const Outcome told = predict({"--json"});
  ASSERT_EQ(told.status, 0) << told.err;
  const nlohmann::json predictions = nlohmann::json::parse(told.out)["predictions"];
  ASSERT_EQ(predictions.size(), 3u);
  for (std::int64_t row = 0; row < 3; ++row)
    for (std::int64_t i = 0; i < 16; ++i) {
      const auto [best, probability] = softmax_of(logits, (row * 16 + i) * 8, 8);
      const auto at = static_cast<std::size_t>(i);
      EXPECT_EQ(predictions[static_cast<std::size_t>(row)]["class"][at],
                names[static_cast<std::size_t>(best)]);
      EXPECT_NEAR(predictions[static_cast<std::size_t>(row)]["probability"][at], probability, 1e-6);
    }
  const Outcome shown = predict({});
  const std::vector<std::string> lines = rows_of(shown.out);
  ASSERT_EQ(lines.size(), 3u) << shown.out;
  EXPECT_TRUE(lines[0].starts_with("     0  \"")) << lines[0];
  EXPECT_NE(lines[0].find("\"  (16 positions, mean probability "), std::string::npos) << lines[0];
}

TEST_F(PositionPredictions, ACsvFileHasALineForEachPixel) {
  ASSERT_EQ(train("unet:width=2:depth=1", write_masks(), {"--epochs", "1"}).status, 0);
  ASSERT_EQ(predict({"--output", folder_ / "p.npy"}).status, 0);
  const HostTensor logits = io::read_npy(folder_ / "p.npy");
  ASSERT_EQ(logits.shape(), (Shape{8, 4, 6, 3}));
  ASSERT_EQ(predict({"--output", folder_ / "p.csv"}).status, 0);
  const std::vector<std::string> lines = rows_of(io::read_text_file(folder_ / "p.csv"));
  ASSERT_EQ(lines.size(), 1u + 8 * 4 * 6);
  EXPECT_EQ(lines[0], "row,index_0,index_1,class,probability");
  for (std::int64_t i = 0; i < 192; ++i) {
    const auto [best, probability] = softmax_of(logits, i * 3, 3);
    const std::string start = fmt::format("{},{},{},{},", i / 24, i / 6 % 4, i % 6, best);
    const std::string& line = lines[static_cast<std::size_t>(i + 1)];
    ASSERT_TRUE(line.starts_with(start)) << line << " " << start;
    EXPECT_NEAR(std::stod(line.substr(start.size())), probability, 1e-6);
  }
  const Outcome json = predict({"--json"});
  const nlohmann::json first = nlohmann::json::parse(json.out)["predictions"][0];
  EXPECT_EQ(first["shape"], nlohmann::json({4, 6}));
  EXPECT_EQ(first["class"][3][5], fmt::format("{}", softmax_of(logits, 23 * 3, 3).first));
}

TEST_F(PositionPredictions, MasksAreToldAsSharesOfClasses) {
  const std::string data = write_masks();
  const Outcome trained =
      train("unet:width=4:depth=1", data, {"--epochs", "40", "--learning-rate", "0.02"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_NE(trained.out.find(" % of 24 pixels right\n"), std::string::npos) << trained.out;
  EXPECT_EQ(fact(trained.out, "truth"), "0: 75.0 %, 2: 25.0 %");
  const Outcome outcome = predict({});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(rows_of(outcome.out)[0].find(" %  (24 pixels, mean probability "), std::string::npos)
      << outcome.out;
}

// One output for each pixel, of a sigmoid: by a model of the library.
TEST_F(PositionPredictions, ABinaryLossHasTwoClassesOfEachPixel) {
  HostTensor x({DType::f32, {8, 4, 4, 1}}), y({DType::f32, {8, 4, 4, 1}});
  for (std::size_t i = 0; i < 128; ++i) {
    x.as<float>()[i] = static_cast<float>(i % 7) - 3;
    y.as<float>()[i] = i % 3 == 0 ? 1 : 0;
  }
  Trainer trainer(nn::Conv2D{.filters = 1, .size = {1, 1}},
                  {.loss = nn::binary_cross_entropy_from_logits, .device = "reference"});
  trainer.build(data::Dataset("masks", data::Array(x), data::Array(std::move(y))));
  trainer.save(run_);
  io::write_npy(folder_ / "x.npy", x);
  ASSERT_EQ(predict({"--output", folder_ / "p.npy"}).status, 0);
  const HostTensor logits = io::read_npy(folder_ / "p.npy");
  const Outcome told = predict({"--json"});
  const nlohmann::json first = nlohmann::json::parse(told.out)["predictions"][0];
  for (std::int64_t i = 0; i < 16; ++i) {
    const double yes = 1 / (1 + std::exp(-element_as_double(logits, i)));
    const auto down = static_cast<std::size_t>(i / 4), across = static_cast<std::size_t>(i % 4);
    EXPECT_EQ(first["class"][down][across], yes > 0.5 ? "1" : "0");
    EXPECT_NEAR(first["probability"][down][across], std::max(yes, 1 - yes), 1e-6);
  }
}

// After a divergence.
TEST_F(PositionPredictions, NoNumbersAreToldAsSuch) {
  write_points(folder_ / "points.csv", 30);
  const std::vector<std::string> wild = {"--optimizer", "sgd", "--learning-rate", "1e30"};
  const Outcome points = run_tenon(train_arguments(folder_ / "points.csv", run_, wild));
  ASSERT_EQ(points.status, 0) << points.err;
  EXPECT_NE(points.out.find("  row 0  the model gives no numbers (NaN)  (truth 0)\n"),
            std::string::npos)
      << points.out;
  io::write_npy(folder_ / "x.npy", make_tensor<float>({1, 2}, {1, 2}));
  EXPECT_EQ(predict({}).out, "the model gives no numbers (NaN)\n");
  ASSERT_EQ(predict({"--output", folder_ / "p.csv"}).status, 0);
  EXPECT_EQ(rows_of(io::read_text_file(folder_ / "p.csv"))[1], ",nan,nan,nan,nan");
  const nlohmann::json told = nlohmann::json::parse(predict({"--json"}).out)["predictions"][0];
  EXPECT_TRUE(told["class"].is_null() && told["probability"].is_null()) << told;
  EXPECT_EQ(run_tenon({"report", run_, "--data", "csv:" + (folder_ / "points.csv"), "--device",
                       "reference"})
                .status,
            0);

  const Outcome text = train("gpt:layers=1:heads=1:width=8", write_text(),
                             {"--optimizer", "sgd", "--learning-rate", "1e38", "--epochs", "2"});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("  the model gives no numbers (NaN)\n"), std::string::npos) << text.out;
  write_ids();
  EXPECT_TRUE(predict({}).out.starts_with("     0  the model gives no numbers (NaN)\n"));
}

}  // namespace
}  // namespace tenon::cli
