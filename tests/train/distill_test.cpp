#include "tenon/train/distill.h"

#include "../data/sample_reading.h"
#include "tenon/tensor/functions.h"
#include "tenon/train/compression.h"
#include "train_testing.h"

namespace tenon {
namespace {

TEST(Distillation, LossAndGradientAreThoseOfPytorch) {
  const nlohmann::json all = samples::read_samples("compression_samples.json").at("distilled");
  for (const std::string& device : tested_devices()) {
    Session session(device);
    for (const nlohmann::json& sample : all) {
      const HostTensor student = samples::read_tensor(sample.at("student"));
      const Tensor s = placeholder("student", student.type());
      const nn::WeightedSum loss =
          nn::distillation_loss(s, constant(samples::read_tensor(sample.at("teacher"))),
                                constant(samples::read_tensor(sample.at("classes"))),
                                sample.at("temperature"), sample.at("alpha"));
      const Tensor mean = loss.sum / loss.weight;
      const std::vector<HostTensor> found = session.run({mean, grad(mean, s)}, {{s, student}});
      EXPECT_NEAR(element_as_double(found[0], 0), sample.at("loss").get<double>(), 1e-12);
      EXPECT_EQ(samples::difference(found[1], samples::read_tensor(sample.at("gradient")), 1e-12),
                "");
    }
  }
}

TEST(Distillation, TheTeacherIsNoPartOfTheModelAndStaysAsItIs) {
  for (const std::string& device : tested_devices()) {
    Trainer large(model_with_state(), small_options(device));
    large.fit(blobs(60), {.epochs = 10, .batch_size = 12});
    const HostTensor taught = large.predict(blobs(9).x());

    const nn::Layer teacher = frozen_teacher(large);
    Trainer small(nn::Distilled{nn::Sequential{nn::Dense{3}}, teacher, 2, 1},
                  small_options(device));
    const History history = small.fit(blobs(60), {.epochs = 20, .batch_size = 12});
    EXPECT_LT(history.epochs.back().train.loss, history.epochs.front().train.loss / 2) << device;
    std::vector<std::string> names;
    for (const Variable& weight : small.weights()) names.push_back(weight.name());
    EXPECT_EQ(names, (std::vector<std::string>{"dense/kernel", "dense/bias"}));
    EXPECT_GT(small.evaluate(blobs(30))["accuracy"], 0.9) << device;

    // The teacher gives what it gave, in the student's session too.
    const data::Dataset rows = blobs(9);
    const Tensor x = placeholder("x", rows.x().type());
    nn::Context context(nn::Mode::inference);
    const Tensor logits = teacher.call_as_root(x, context);
    EXPECT_EQ(
        samples::difference(small.session().run(logits, {{x, rows.x().tensor()}}), taught, 1e-6),
        "");
    EXPECT_LT(compare_models(large, small, rows).bytes_after, weight_bytes(large));
  }
}

TEST(Distillation, AStudentIsSavedAndLoadedWithoutItsTeacher) {
  const TemporaryFolder folder;
  Trainer large(small_model(), small_options());
  large.fit(blobs(30), {.epochs = 2, .batch_size = 10});
  Trainer small(nn::Distilled{nn::Sequential{nn::Dense{3}}, frozen_teacher(large)},
                small_options());
  small.fit(blobs(30), {.epochs = 2, .batch_size = 10});
  small.save(folder / "run");
  Trainer loaded = load(folder / "run", "reference");
  EXPECT_EQ(loaded.predict(blobs(5).x()), small.predict(blobs(5).x()));
  EXPECT_EQ(loaded.evaluate(blobs(5))["accuracy"], small.evaluate(blobs(5))["accuracy"]);
  const std::string message = error_of([&] { loaded.fit(blobs(30), {.epochs = 1}); });
  EXPECT_NE(message.find("Distilled: there is no teacher"), std::string::npos) << message;
  // Its weights are those of the student alone.
  Trainer plain(nn::Sequential{nn::Dense{3}}, small_options());
  plain.build(blobs(30));
  plain.load_weights(folder / "run/model.safetensors");
  EXPECT_EQ(plain.predict(blobs(5).x()), small.predict(blobs(5).x()));
}

TEST(Distillation, RefusesWhatCannotBe) {
  const Tensor three = zeros({2, 3}), four = zeros({2, 4});
  const Tensor classes = constant(make_tensor<std::int32_t>({2}, {0, 1}));
  EXPECT_EQ(error_of([&] { nn::distillation_loss(three, four, classes, 1, 0.5); }),
            "Distilled: the student gives f32[2,3], the teacher f32[2,4]: both must give logits "
            "of the same classes");
  EXPECT_EQ(error_of([&] { nn::distillation_loss(three, three, classes, 0, 0.5); }),
            "Distilled: a temperature above 0 expected, got 0");
  EXPECT_EQ(error_of([&] { nn::distillation_loss(three, three, classes, 1, 2); }),
            "Distilled: alpha from 0 to 1 expected, got 2");
}

}  // namespace
}  // namespace tenon
