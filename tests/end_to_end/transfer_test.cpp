// Files as PyTorch and Hugging Face write them give networks of the catalog their own logits.
#include "tenon/train/transfer.h"
#include "../error_of.h"
#include "tenon/train/name_map.h"

#include <gtest/gtest.h>

#include "tenon/io/safetensors.h"
#include "tenon/models/catalog.h"
#include "tests/cli/cli_testing.h"
#include "tests/data/sample_reading.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

const std::string kFolder = TENON_TEST_DATA "/transfer/";

// A network in f64 that has seen inputs like x, and labels that fit its outputs.
Trainer built_network(const std::string& model, const HostTensor& x, std::int64_t outputs) {
  Shape labels{x.shape()[0]};
  if (is_integer(x.dtype())) labels.push_back(x.shape()[1]);
  TrainerOptions options;
  options.device = "reference";
  options.dtype = DType::f64;
  const Shape row(x.shape().begin() + 1, x.shape().end());
  Trainer trainer(models::make_model(model, {{x.dtype(), row}, outputs}), options);
  trainer.build(data::Dataset("samples", x, data::Array(HostTensor({DType::i32, labels}))));
  return trainer;
}

TEST(Transfer, NetworksOfOthersKeepTheirLogits) {
  const Json samples = samples::read_samples("transfer_samples.json");
  std::set<std::string> maps;
  for (const Json& network : samples.at("networks")) {
    const std::string file = network.at("file").get<std::string>();
    const std::string map = network.at("map").get<std::string>();
    maps.insert(map);
    const HostTensor x =
        samples::read_tensor(samples.at("inputs").at(network.at("x").get<std::string>()));
    const HostTensor y = samples::read_tensor(network.at("y"));
    Trainer trainer = built_network(network.at("model").get<std::string>(), x, y.shape().back());
    const TransferReport report = load_pretrained(trainer, kFolder + file, {.map = map});
    EXPECT_EQ(report.loaded.size(), trainer.weights().size()) << file;
    EXPECT_EQ(samples::difference(trainer.predict(x), y, 1e-9), "") << file;
  }
  EXPECT_EQ(maps, std::set<std::string>(name_map_names().begin(), name_map_names().end()));
}

class TransferOfResnet : public testing::Test {
 protected:
  HostTensor x_{TensorType{DType::f32, {2, 32, 32, 3}}};
  const std::string file_ = kFolder + "resnet_basic.safetensors";
  const std::string model_ = "resnet18:blocks=1/2/1/1:width=2";
};

TEST_F(TransferOfResnet, AnotherHeadKeepsItsValues) {
  Trainer trainer = built_network(model_, x_, 3);
  EXPECT_EQ(error_of([&] { load_pretrained(trainer, file_, {.map = "torchvision-resnet"}); }),
            file_ +
                ": tensor \"fc.weight\" is f32[5,16], which makes f32[16,5]; the weight "
                "\"dense/kernel\" is f64[16,3]\n  help: leave it as it is by skipping "
                "\"dense/kernel\"");
  const Variable kernel = trainer.weights()[trainer.weights().size() - 2];
  ASSERT_EQ(kernel.name(), "dense/kernel");
  const HostTensor before = trainer.session().read(kernel);
  const TransferReport report =
      load_pretrained(trainer, file_, {.map = "torchvision-resnet", .skip = {"dense/*"}});
  EXPECT_EQ(report.skipped, (std::vector<std::string>{"dense/kernel", "dense/bias"}));
  EXPECT_EQ(trainer.session().read(kernel), before);
  const HostTensor scale = io::read_safetensors(file_).tensors.at("bn1.weight");
  EXPECT_EQ(trainer.session().read(trainer.weights()[1]), converted(scale, DType::f64));
}

TEST_F(TransferOfResnet, FrozenWeightsStayWhatTheyAre) {
  Trainer trainer = built_network(model_, x_, 5);
  EXPECT_EQ(freeze(trainer, {"conv2d/*", "residual*"}).front(), "conv2d/kernel");
  EXPECT_EQ(freeze(trainer, {"batch_norm/*"}),
            (std::vector<std::string>{"batch_norm/scale", "batch_norm/offset"}));
  std::vector<HostTensor> before;
  for (const Variable& weight : trainer.weights()) before.push_back(trainer.session().read(weight));
  data::Batch batch;
  batch.x = x_;
  batch.y = make_tensor<std::int32_t>({2}, {1, 3});
  trainer.step(batch);
  const std::vector<Variable> weights = trainer.weights();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const bool is_head = weights[i].name() == "dense/bias";
    const bool is_frozen = weights[i].kind() == VariableKind::weight && !weights[i].is_trainable();
    if (!is_head && !is_frozen) continue;
    EXPECT_EQ(trainer.session().read(weights[i]) == before[i], !is_head) << weights[i].name();
  }
  EXPECT_EQ(unfreeze(trainer, {"batch_norm/offset"}),
            (std::vector<std::string>{"batch_norm/offset"}));
}

TEST_F(TransferOfResnet, SaysWhatDoesNotFit) {
  Trainer deeper = built_network("resnet18:blocks=2/2/1/1:width=2", x_, 5);
  EXPECT_EQ(error_of([&] { load_pretrained(deeper, file_, {.map = "torchvision-resnet"}); }),
            file_ +
                ": no tensor \"layer1.1.conv1.weight\" for the weight "
                "\"residual_1/sequential/conv2d/kernel\"; did you mean "
                "\"layer1.0.conv1.weight\"?");
  Trainer shallow = built_network("resnet18:blocks=1/1/1/1:width=2", x_, 5);
  EXPECT_EQ(error_of([&] { load_pretrained(shallow, file_, {.map = "torchvision-resnet"}); }),
            file_ +
                ": tensor \"layer2.1.bn1.bias\" (f32[4]) is of no weight of the model\n  help: "
                "a map of your own (FILE.json) can name it under \"ignore\"");
  Trainer same = built_network(model_, x_, 5);
  EXPECT_EQ(
      error_of([&] { load_pretrained(same, file_, {.map = "torchvision-vgg"}); }),
      "unknown name map (or FILE.json) \"torchvision-vgg\"; known: torchvision-resnet, "
      "torchvision-mobilenet-v2, torchvision-vit, huggingface-gpt2, huggingface-bert; did you "
      "mean \"torchvision-vit\"?");
  EXPECT_EQ(error_of([&] { load_pretrained(same, file_, {.map = "huggingface-gpt2"}); }),
            "the map huggingface-gpt2 is not for this model: it has no name for the weight "
            "\"conv2d/kernel\"");
  EXPECT_EQ(error_of([&] { load_pretrained(same, file_); }),
            file_ + ": no tensor \"conv2d/kernel\" for the weight \"conv2d/kernel\"");
  EXPECT_EQ(error_of([&] { freeze(same, {"conv3d/*"}); }),
            "no weight of the model is of the pattern \"conv3d/*\"\n  help: the names are "
            "conv2d/kernel, batch_norm/scale, batch_norm/offset, batch_norm/mean, "
            "batch_norm/variance, residual/sequential/conv2d/kernel, "
            "residual/sequential/batch_norm/scale, residual/sequential/batch_norm/offset, ...");
}

}  // namespace
}  // namespace tenon
