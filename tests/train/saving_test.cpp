#include <nlohmann/json.hpp>

#include "tenon/io/json.h"
#include "tenon/io/safetensors.h"
#include "tenon/nn/convolution.h"
#include "tenon/nn/pooling.h"
#include "tenon/optim/gradient_descent.h"
#include "tenon/train/checkpoint.h"
#include "train_testing.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

TEST(Save, LoadedWithoutItsCodePredictsTheSameBits) {
  const TemporaryFolder folder;
  const data::Dataset data = blobs(20);
  TrainerOptions options = small_options();
  options.normalization = data::NormalizationKind::standard;
  Trainer trainer(model_with_state(), options);
  trainer.fit(data, {.epochs = 2, .batch_size = 8, .validation = data});
  trainer.save(folder / "run");
  for (const char* name :
       {"run.json", "model.safetensors", "state.safetensors", "metrics.csv", "curves.svg"})
    EXPECT_TRUE(fs::exists(fs::path(folder / "run") / name)) << name;

  Trainer again = load(folder / "run", "reference");
  EXPECT_EQ(again.predict(data.x()), trainer.predict(data.x()));
  EXPECT_EQ(again.evaluate(data).loss, trainer.evaluate(data).loss);
  EXPECT_EQ(again.class_names(), data.class_names());
  EXPECT_EQ(again.steps_done(), 6);
  EXPECT_EQ(again.summary(), trainer.summary());
}

TEST(Save, LoadedTrainsOnAsTheOriginalDoes) {
  const TemporaryFolder folder;
  const data::Dataset data = blobs(20);
  Trainer trainer(model_with_state(), small_options());
  trainer.fit(data, {.epochs = 2, .batch_size = 8});
  trainer.save(folder / "run");
  Trainer again = load(folder / "run", "reference");
  again.save(folder / "copy");  // before a step is compiled: nothing may be lost
  EXPECT_EQ(io::read_text_file(RunFiles{folder / "copy"}.state()),
            io::read_text_file(RunFiles{folder / "run"}.state()));
  trainer.fit(data, {.epochs = 1, .batch_size = 8});
  again.fit(data, {.epochs = 1, .batch_size = 8});
  EXPECT_EQ(again.predict(data.x()), trainer.predict(data.x()));
  Trainer copy = load(folder / "copy", "reference");
  copy.fit(data, {.epochs = 1, .batch_size = 8});
  EXPECT_EQ(copy.predict(data.x()), trainer.predict(data.x()));
}

TEST(Save, TheLearningRateOfTheRunIsKept) {
  const TemporaryFolder folder;
  TrainerOptions options = small_options();
  options.optimizer = optim::GradientDescent{.learning_rate = 0.5};
  Trainer trainer(small_model(), options);
  trainer.build(blobs(4));
  trainer.save(folder / "run");
  fs::remove(RunFiles{folder / "run"}.state());  // only run.json says it now
  Trainer again = load(folder / "run", "reference");
  EXPECT_EQ(again.session().read(again.options().optimizer.learning_rate()), make_scalar(0.5));
}

TEST(Save, WeightsAreNamedByTheirLayers) {
  const TemporaryFolder folder;
  HostTensor x({DType::u8, {2, 6, 6}}), y({DType::i32, {2}});
  const data::Dataset images("images", std::move(x), data::Array(std::move(y)), {"a", "b"});
  Trainer trainer(
      nn::Sequential{nn::Reshape{{6, 6, 1}}, nn::Conv2D{.filters = 2}, nn::MaxPool2D{},
                     nn::Flatten{}, nn::Sequential{nn::Dense{4}, nn::Dense{4}}, nn::Dense{2}},
      small_options());
  trainer.build(images);
  trainer.save_weights(folder / "weights.safetensors");
  std::vector<std::string> names;
  for (const auto& [name, tensor] : io::read_safetensors(folder / "weights.safetensors").tensors) {
    names.push_back(name);
    EXPECT_EQ(tensor.dtype(), DType::f32);
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"conv2d/bias", "conv2d/kernel", "dense/bias", "dense/kernel",
                                      "sequential/dense/bias", "sequential/dense/kernel",
                                      "sequential/dense_1/bias", "sequential/dense_1/kernel"}));
}

class Weights : public testing::Test {
 protected:
  void SetUp() override { trainer_.build(blobs(4)); }
  std::string message(const io::NamedTensors& tensors) {
    io::write_safetensors(file_, tensors);
    return error_of([&] { trainer_.load_weights(file_); });
  }
  io::NamedTensors good() {
    io::NamedTensors tensors;
    for (const Variable& weight : trainer_.weights())
      tensors.emplace(weight.name(), filled(weight.type(), 0.5));
    return tensors;
  }
  const TemporaryFolder folder_;
  const std::string file_ = folder_ / "weights.safetensors";
  Trainer trainer_{small_model(), small_options()};
};

TEST_F(Weights, AreReadAndConverted) {
  io::write_safetensors(file_, good());
  trainer_.load_weights(file_);
  EXPECT_EQ(trainer_.session().read(trainer_.weights()[0]), filled({DType::f32, {2, 8}}, 0.5));
  io::NamedTensors wide;
  for (const auto& [name, tensor] : good()) wide.emplace(name, converted(tensor, DType::f64));
  wide.at("dense/kernel") = filled({DType::f64, {2, 8}}, 0.25);
  io::write_safetensors(file_, wide);
  trainer_.load_weights(file_);
  EXPECT_EQ(trainer_.session().read(trainer_.weights()[0]), filled({DType::f32, {2, 8}}, 0.25));
}

TEST_F(Weights, ThatDoNotFitAreNamedAndNothingIsChanged) {
  const HostTensor before = trainer_.session().read(trainer_.weights()[0]);
  io::NamedTensors tensors = good();
  tensors.erase("dense_1/bias");
  EXPECT_EQ(message(tensors), file_ + ": weight \"dense_1/bias\" (f32[3]) is missing");
  tensors = good();
  tensors.emplace("dense_1/biass", HostTensor({DType::f32, {3}}));
  EXPECT_EQ(message(tensors), file_ +
                                  ": the model has no weight \"dense_1/biass\" (f32[3]); did "
                                  "you mean \"dense_1/bias\"?");
  tensors = good();
  tensors.at("dense_1/kernel") = HostTensor({DType::f32, {3, 8}});
  EXPECT_EQ(message(tensors),
            file_ + ": weight \"dense_1/kernel\" is f32[3,8], the model has f32[8,3]");
  tensors.at("dense_1/kernel") = HostTensor({DType::i32, {8, 3}});
  EXPECT_EQ(message(tensors),
            file_ + ": weight \"dense_1/kernel\" is i32[8,3], the model has f32[8,3]");
  EXPECT_EQ(trainer_.session().read(trainer_.weights()[0]), before);
}

TEST(SaveErrors, BeforeDataIsSeen) {
  Trainer trainer(small_model(), small_options());
  EXPECT_EQ(error_of([&] { trainer.save("x"); }),
            "save: the model has no weights yet; fit, build or load it first");
  EXPECT_EQ(error_of([&] { trainer.save_weights("x"); }),
            "save_weights: the model has no weights yet; fit, build or load it first");
  EXPECT_EQ(error_of([&] { trainer.load_weights("x"); }),
            "load_weights: the model has no weights yet; fit or build it first");
}

class LoadErrors : public testing::Test {
 protected:
  void SetUp() override {
    Trainer trainer(small_model(), small_options());
    trainer.fit(blobs(8), {.epochs = 1, .batch_size = 4});
    trainer.save(run_);
  }
  std::string message() {
    return error_of([&] { load(run_, "reference"); });
  }
  void change_description(const std::string& pointer, const nlohmann::json& value) {
    nlohmann::json json = io::read_json(files_.description());
    json[nlohmann::json::json_pointer(pointer)] = value;
    io::write_json(files_.description(), json);
  }
  const TemporaryFolder folder_;
  const std::string run_ = folder_ / "run";
  const RunFiles files_{run_};
};

TEST_F(LoadErrors, NoRun) {
  EXPECT_EQ(error_of([&] { load(folder_ / "nothing"); }),
            fmt::format("cannot load {}: there is no such folder", folder_ / "nothing"));
  fs::create_directory(folder_ / "empty");
  EXPECT_EQ(error_of([&] { load(folder_ / "empty"); }),
            fmt::format("cannot load {}: it holds no run (no run.json)", folder_ / "empty"));
  fs::remove(files_.model());
  EXPECT_EQ(message(),
            fmt::format("cannot read {}: No such file or directory", files_.model().string()));
}

TEST_F(LoadErrors, ADescriptionOfAnotherModel) {
  change_description("/model/layers/0/units", 9);
  EXPECT_EQ(message(),
            fmt::format("{}: weight \"dense/kernel\" is f32[2,8], the model has f32[2,9]",
                        files_.model().string()));
  change_description("/model/layers/0/units", std::int64_t{1} << 62);
  EXPECT_TRUE(
      message().starts_with(files_.description().string() + ": the model cannot be built: "))
      << message();
  change_description("/model/layers/0/units", -1);
  EXPECT_TRUE(message().starts_with(files_.description().string() +
                                    ": the model cannot be built: Dense: units must be above 0"))
      << message();
}

TEST_F(LoadErrors, AStateOfAnotherShapeIsNamedWhenItIsUsed) {
  io::Safetensors state = io::read_safetensors(files_.state());
  ASSERT_TRUE(state.tensors.contains("optimizer/dense/kernel/m"));
  state.tensors.at("optimizer/dense/kernel/m") = HostTensor({DType::f32, {1}});
  io::write_safetensors(files_.state(), state.tensors, state.metadata);
  Trainer trainer = load(run_, "reference");
  EXPECT_EQ(error_of([&] { trainer.fit(blobs(8), {.batch_size = 4}); }),
            fmt::format("{}: tensor \"optimizer/dense/kernel/m\" is f32[1], expected f32[2,8]",
                        files_.state().string()));
}

TEST_F(LoadErrors, APositionThatCannotBe) {
  const io::Safetensors good = io::read_safetensors(files_.state());
  const auto with = [&](const std::string& name, const HostTensor& value) {
    io::NamedTensors tensors = good.tensors;
    tensors.insert_or_assign(name, value);
    io::write_safetensors(files_.state(), tensors, good.metadata);
    return message();
  };
  const std::string file = files_.state().string();
  EXPECT_EQ(with("position/steps_done", make_scalar<std::int64_t>(-1)),
            file + ": tensor \"position/steps_done\" is -1, expected a number from 0");
  EXPECT_EQ(with("position/steps_done", make_scalar<float>(1)),
            file + ": tensor \"position/steps_done\" is f32[], expected i64[]");
  EXPECT_EQ(with("position/first_step", make_scalar<std::int64_t>(3)),
            file + ": the run's position is contradictory: step 2 began at 3, epoch 1 at 0");
  EXPECT_EQ(with("position/epoch_means", HostTensor({DType::f64, {2}})),
            file + ": tensor \"position/epoch_means\" is f64[2], expected f64[4]");
}

}  // namespace
}  // namespace tenon
