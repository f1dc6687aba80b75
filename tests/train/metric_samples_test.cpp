// Metrics over several batches with a short last one against data/metric_samples.json.
#include "../data/sample_reading.h"
#include "train_testing.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

// A model that gives its inputs back.
nn::Sequential identity_model() { return {nn::ActivationLayer{nn::linear}}; }

data::Dataset rows_of(const Json& sample) {
  return {"rows", samples::read_tensor(sample.at("prediction")),
          data::Array(samples::read_tensor(sample.at("target")))};
}

TrainerOptions options_of(const Json& sample, const std::string& device) {
  TrainerOptions options;
  options.loss = nn::find_loss(sample.at("loss").get<std::string>());
  options.device = device;
  options.threads = 1;
  options.dtype = DType::f64;
  return options;
}

class MetricSamples : public testing::TestWithParam<std::string> {};

TEST_P(MetricSamples, AgreeWithScikitLearn) {
  const Json samples = samples::read_samples("metric_samples.json");
  std::set<std::string> names;
  for (const Json& sample : samples.at("metrics")) {
    const nn::Metric metric = nn::find_metric(sample.at("metric").get<std::string>());
    names.insert(metric.name);
    TrainerOptions options = options_of(sample, GetParam());
    options.metrics = {metric};
    Trainer trainer(identity_model(), options);
    const data::Dataset rows = rows_of(sample);
    trainer.build(rows);
    ASSERT_TRUE(rows.size() == 23 || rows.size() == 5) << rows.size();
    const double expected = sample.at("value").get<double>();
    // Batches of which the last is short; all at once.
    EXPECT_NEAR(trainer.evaluate(rows, rows.size() / 2)[metric.name], expected, 1e-12)
        << metric.name;
    EXPECT_NEAR(trainer.evaluate(rows, rows.size())[metric.name], expected, 1e-12) << metric.name;
  }
  EXPECT_EQ(names.size(), 26u);
}

TEST_P(MetricSamples, ConfusionMatrixAgreesWithScikitLearn) {
  const Json samples = samples::read_samples("metric_samples.json");
  const Json& sample = samples.at("confusion_matrix");
  Session session(GetParam());
  const HostTensor predictions = samples::read_tensor(sample.at("prediction"));
  const HostTensor targets = samples::read_tensor(sample.at("target"));
  const Tensor prediction = placeholder("prediction", predictions.type());
  const Tensor target = placeholder("target", targets.type());
  const Tensor counts =
      nn::confusion_matrix(prediction, target, nn::find_loss(sample.at("loss").get<std::string>()));
  const std::vector<Feed> feeds = {{prediction, predictions}, {target, targets}};
  EXPECT_EQ(session.run(std::array{counts}, feeds)[0], samples::read_tensor(sample.at("counts")));
}

INSTANTIATE_TEST_SUITE_P(Devices, MetricSamples, testing::ValuesIn(tested_devices()),
                         [](const auto& test) { return test.param; });

// Sums of an unfinished epoch are part of a checkpoint.
TEST(Metrics, OfSumsGoOnWithTheSameBits) {
  const TemporaryFolder folder;
  const auto fit = [&](const std::string& run, std::int64_t max_steps, bool resume) {
    TrainerOptions options = small_options();
    options.metrics = {nn::macro_f1, nn::accuracy, nn::perplexity, nn::top_k_accuracy(2)};
    Trainer trainer(small_model(), options);
    const History history = trainer.fit(blobs(10), {.epochs = 2,
                                                    .batch_size = 4,
                                                    .max_steps = max_steps,
                                                    .run_folder = folder / run,
                                                    .resume = resume});
    return history.epochs.empty() ? Evaluation{} : history.epochs.back().train;
  };
  const Evaluation expected = fit("whole", 0, false);
  fit("part", 5, false);
  const Evaluation found = fit("part", 0, true);
  EXPECT_EQ(found.metrics, expected.metrics);
  EXPECT_EQ(found.loss, expected.loss);
  EXPECT_GT(expected["macro_f1"], 0);
  // The loss of this run is the plain cross entropy.
  EXPECT_NEAR(expected["perplexity"], std::exp(expected.loss), 1e-6);
  EXPECT_GE(expected["top_k_accuracy:k=2"], expected["accuracy"]);
}

TEST(Metrics, ARunFolderKnowsThemByName) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  TrainerOptions options = small_options();
  options.loss = nn::cross_entropy(options.loss, {.label_smoothing = 0.1});
  options.metrics = {nn::top_k_accuracy(2), nn::macro_recall};
  Trainer trainer(small_model(), options);
  trainer.fit(blobs(9), {});
  trainer.save(run);
  Trainer again = load(run, "reference");
  EXPECT_EQ(again.evaluate(blobs(9)).metrics, trainer.evaluate(blobs(9)).metrics);
  EXPECT_EQ(again.evaluate(blobs(9)).loss, trainer.evaluate(blobs(9)).loss);
}

TEST(Metrics, Refused) {
  TrainerOptions options = small_options();
  options.metrics = {nn::find_metric("macro_f1")};
  options.loss = nn::huber(0.5);
  EXPECT_EQ(error_of([&] { Trainer(small_model(), options); }),
            "Trainer: metric macro_f1 is of classes, loss huber:delta=0.5 is of numbers; leave the "
            "metric out, or choose a loss of classes");
  EXPECT_EQ(error_of([] { nn::top_k_accuracy(0); }), "top_k_accuracy: k must be 1 or more, got 0");
  EXPECT_EQ(error_of([] { nn::roc_auc(1); }), "roc_auc: bins must be from 2 to 1000000, got 1");
  EXPECT_EQ(error_of([] { nn::find_metric("top_k_accuracy:k=1.5"); }),
            "metric top_k_accuracy: k must be a whole number, got 1.5");
  const Tensor p = placeholder("p", {DType::f32, {4, 3}});
  const Tensor labels = placeholder("labels", {DType::i32, {4}});
  const nn::Loss& loss = nn::sparse_categorical_cross_entropy_from_logits;
  EXPECT_EQ(error_of([&] { nn::precision.apply(p, labels, loss); }),
            "precision: expected two classes, got predictions f32[4,3] from \"p\"\n"
            "  help: for 3 classes use macro_precision");
  EXPECT_EQ(error_of([&] { nn::top_k_accuracy(4).apply(p, labels, loss); }),
            "top_k_accuracy: the largest 4 of 3 outputs asked for, predictions are f32[4,3] from "
            "\"p\"");
  EXPECT_EQ(error_of([&] { nn::perplexity.sums(p, p, nn::mean_squared_error); }),
            "perplexity: expected a loss of classes or probabilities, got mean_squared_error");
}

}  // namespace
}  // namespace tenon
