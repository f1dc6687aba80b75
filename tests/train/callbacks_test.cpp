#include "tenon/train/callbacks.h"

#include <algorithm>

#include "tenon/train/checkpoint.h"
#include "train_testing.h"

namespace tenon {
namespace {

EpochInfo epoch_with(std::int64_t epoch, double loss) {
  EpochInfo info;
  info.epoch = epoch;
  info.loss = 7;
  info.metrics = {{"accuracy", 0.5}};
  info.validation_loss = loss;
  return info;
}

TEST(BestValue, FollowsTheDirectionOfTheName) {
  BestValue lower(Monitor{});
  EXPECT_TRUE(lower.observe(epoch_with(1, 2.0)));
  EXPECT_FALSE(lower.observe(epoch_with(2, 2.0)));
  EXPECT_FALSE(lower.observe(epoch_with(3, std::numeric_limits<double>::quiet_NaN())));
  EXPECT_TRUE(lower.observe(epoch_with(4, 1.5)));
  EXPECT_EQ(lower.value(), 1.5);
  EXPECT_EQ(lower.epoch(), 4);
  BestValue higher({.name = "validation_loss", .better = Better::higher, .min_delta = 1});
  EXPECT_TRUE(higher.observe(epoch_with(1, 2.0)));
  EXPECT_FALSE(higher.observe(epoch_with(2, 3.0)));  // not by more than 1
  EXPECT_TRUE(higher.observe(epoch_with(3, 3.1)));
  BestValue accuracy({.name = "accuracy"});
  EpochInfo info = epoch_with(1, 0);
  EXPECT_TRUE(accuracy.observe(info));
  info.metrics[0].second = 0.6;
  EXPECT_TRUE(accuracy.observe(info));
}

TEST(BestValue, MetricsSayWhichWayIsBetter) {
  EpochInfo info = epoch_with(1, 1);
  info.metrics = {{"huber", 2.0}, {"cosine_similarity", 2.0}};
  info.validation_metrics = info.metrics;
  info.falling_metrics = {"huber"};
  EXPECT_TRUE(info.is_lower_better("validation_huber"));
  EXPECT_TRUE(info.is_lower_better("huber"));
  EXPECT_TRUE(info.is_lower_better("validation_loss"));
  EXPECT_FALSE(info.is_lower_better("cosine_similarity"));
  for (const nn::Metric& metric :
       {nn::Metric(nn::huber(1)), nn::Metric(nn::cosine_similarity), nn::Metric(nn::ctc()),
        nn::Metric(nn::triplet()), nn::Metric(nn::nt_xent()), nn::perplexity, nn::log_loss,
        nn::find_metric("mean_absolute_error"), nn::root_mean_squared_error})
    EXPECT_TRUE(metric.is_lower_better) << metric.name;
  for (const nn::Metric& metric : {nn::accuracy, nn::r2, nn::f1, nn::mean_iou, nn::roc_auc()})
    EXPECT_FALSE(metric.is_lower_better) << metric.name;
}

TEST(EarlyStopping, GoesByALossThatIsAMetric) {
  HostTensor x({DType::f32, {12, 1}}), y({DType::f32, {12, 1}});
  for (int i = 0; i < 12; ++i)
    y.as<float>()[static_cast<std::size_t>(i)] =
        2 * (x.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(i) / 6 - 1);
  const data::Dataset line("line", std::move(x), data::Array(std::move(y)));
  TrainerOptions options = small_options();
  options.loss = nn::mean_squared_error;
  options.optimizer = optim::Adam{.learning_rate = 0.01};  // slow: it does not get there
  options.metrics = {nn::huber(1)};
  Trainer trainer(nn::Sequential{nn::Dense{1}}, options);
  EarlyStopping stopping({.name = "validation_huber"}, 2);
  const History history = trainer.fit(
      line, {.epochs = 8, .batch_size = 4, .validation = line, .callbacks = {&stopping}});
  EXPECT_EQ(history.epochs.size(), 8u);  // it falls in every epoch
  EXPECT_EQ(stopping.best().epoch(), 8);
}

TEST(BestValue, OfANameThatIsNotThere) {
  BestValue best({.name = "acuracy"});
  EXPECT_EQ(error_of([&] { best.observe(epoch_with(1, 1)); }),
            "an epoch has no value \"acuracy\"; one of loss, accuracy, validation_loss expected");
  EXPECT_EQ(error_of([] { BestValue({.min_delta = -1}); }),
            "monitor \"validation_loss\": min_delta -1; a number from 0 expected");
  EXPECT_EQ(error_of([] { EarlyStopping({}, 0); }),
            "EarlyStopping: a patience of 0; at least 1 expected");
  EXPECT_EQ(error_of([] { KeepCheckpoints("x", 0); }),
            "KeepCheckpoints: 0 checkpoints; at least 1 expected");
}

// The rate is 0: nothing gets better after the first epoch.
TrainerOptions standing_still() {
  TrainerOptions options = small_options();
  options.optimizer = optim::Adam{.learning_rate = 1e-30};
  return options;
}

TEST(EarlyStopping, EndsAFitThatGetsNoBetter) {
  Trainer trainer(small_model(), standing_still());
  EarlyStopping stopping({}, 3);
  const History history = trainer.fit(
      blobs(12), {.epochs = 20, .batch_size = 4, .validation = blobs(9), .callbacks = {&stopping}});
  EXPECT_EQ(history.epochs.size(), 4u);
  EXPECT_TRUE(history.stopped);
  EXPECT_TRUE(stopping.is_done());
  EXPECT_EQ(stopping.best().epoch(), 1);
}

TEST(EarlyStopping, CountsOnWhereAResumedRunStands) {
  const TemporaryFolder folder;
  const auto fit = [&](std::int64_t max_steps, bool resume) {
    Trainer trainer(small_model(), standing_still());
    EarlyStopping stopping({}, 3);
    return trainer.fit(blobs(12), {.epochs = 20,
                                   .batch_size = 4,
                                   .validation = blobs(9),
                                   .max_steps = max_steps,
                                   .run_folder = folder / "run",
                                   .resume = resume,
                                   .callbacks = {&stopping}});
  };
  EXPECT_EQ(fit(7, false).epochs.size(), 2u);
  EXPECT_EQ(fit(0, true).epochs.size(), 2u);  // the third and the fourth
  EXPECT_EQ(fit(0, true).steps, 0);           // it has ended
}

TEST(Resume, WithOtherCallbacksIsRefused) {
  const TemporaryFolder folder;
  EarlyStopping stopping({.name = "loss"}, 3);
  Trainer first(small_model(), small_options()), second(small_model(), small_options());
  FitOptions options{.epochs = 2, .batch_size = 4, .max_steps = 4};
  options.run_folder = folder / "run";
  options.callbacks = {&stopping};
  first.fit(blobs(12), options);
  options.callbacks = {&stopping, &stopping};
  options.resume = true;
  EXPECT_EQ(error_of([&] { second.fit(blobs(12), options); }),
            folder / "run/state.safetensors" +
                std::string(": it holds the state of 1 callbacks, this fit has 2 that keep one\n  "
                            "help: resume with the "
                            "callbacks that the run was begun with"));
}

TEST(BestCheckpoint, KeepsAndRestoresTheBestWeights) {
  const TemporaryFolder folder;
  // A rate so large that training makes the model worse.
  TrainerOptions options = small_options();
  options.optimizer = optim::Adam{.learning_rate = 20};
  Trainer trainer(small_model(), options);
  BestCheckpoint best(folder / "best.safetensors", {}, true);
  const History history = trainer.fit(
      blobs(12), {.epochs = 6, .batch_size = 4, .validation = blobs(9), .callbacks = {&best}});
  double least = history.epochs.front().validation->loss;
  for (const EpochRecord& epoch : history.epochs) least = std::min(least, epoch.validation->loss);
  EXPECT_EQ(best.best().value(), least);
  EXPECT_EQ(trainer.evaluate(blobs(9)).loss, least);
}

class BestOfRun : public testing::Test {
 protected:
  Trainer trained(const std::string& run, std::int64_t epochs, bool resume, bool restores) {
    TrainerOptions options = small_options();
    options.log = [this](std::string_view line) { lines_.emplace_back(line); };
    Trainer trainer(small_model(), options);
    // The largest loss, so that the last epoch is not the best one.
    const Monitor worst{.name = "validation_loss", .better = Better::higher};
    BestCheckpoint best(folder_ / (run + "/best.safetensors"), worst, restores);
    FitOptions fit{.epochs = epochs, .batch_size = 4, .validation = blobs(9)};
    fit.run_folder = folder_ / run;
    fit.resume = resume;
    fit.callbacks = {&best};
    lines_.clear();
    trainer.fit(blobs(12), fit);
    best_epoch_ = best.best().epoch();
    found_ = best.best().value();
    return trainer;
  }
  std::string file(const std::string& name) const { return io::read_text_file(folder_ / name); }

  const TemporaryFolder folder_;
  std::vector<std::string> lines_;
  std::int64_t best_epoch_ = 0;
  double found_ = 0;
};

TEST_F(BestOfRun, IsTheModelAndTheRunGoesOnFromTheLastStep) {
  Trainer trainer = trained("run", 6, false, true);
  ASSERT_LT(best_epoch_, 6);
  const std::string what =
      fmt::format("of epoch {}, the best by validation_loss ({:.6g})", best_epoch_, found_);
  EXPECT_EQ(lines_.back(), "the weights are those " + what);
  EXPECT_EQ(trainer.evaluate(blobs(9)).loss, found_);
  EXPECT_EQ(trainer.training().weights, what);
  Trainer loaded = load(folder_ / "run", "reference");
  EXPECT_EQ(loaded.evaluate(blobs(9)).loss, found_);
  EXPECT_EQ(loaded.training().weights, what);

  // Whoever was stopped and goes on ends with the same bits as who was not.
  trained("parts", 3, false, true);
  trained("parts", 6, true, true);
  EXPECT_EQ(file("parts/model.safetensors"), file("run/model.safetensors"));
  EXPECT_EQ(file("parts/state.safetensors"), file("run/state.safetensors"));
  const std::string before = file("run/model.safetensors");
  trained("run", 6, true, true);  // nothing is left to do
  EXPECT_EQ(file("run/model.safetensors"), before);
  trained("run", 8, true, false);
  trained("plain", 8, false, false);
  EXPECT_EQ(file("run/model.safetensors"), file("plain/model.safetensors"));
  EXPECT_EQ(load(folder_ / "run", "reference").training().weights, "");
}

TEST(EarlyStopping, SaysThatItStoppedAndWhy) {
  TrainerOptions options = small_options();
  options.optimizer = optim::Adam{.learning_rate = 20};
  std::vector<std::string> lines;
  options.log = [&](std::string_view line) { lines.emplace_back(line); };
  Trainer trainer(small_model(), options);
  EarlyStopping stopping({.name = "loss"}, 2);
  const History history =
      trainer.fit(blobs(12), {.epochs = 50, .batch_size = 4, .callbacks = {&stopping}});
  ASSERT_LT(history.epochs.size(), 50u);
  EXPECT_EQ(lines.back(),
            fmt::format("stopped early after epoch {} of 50: loss is no better for 2 epochs; best "
                        "{:.6g} in epoch {}",
                        history.epochs.size(), stopping.best().value(), stopping.best().epoch()));
}

TEST(KeepCheckpoints, KeepsTheLastOnes) {
  const TemporaryFolder folder;
  Trainer trainer(small_model(), small_options());
  KeepCheckpoints keep(folder / "kept", 2);
  trainer.fit(blobs(12), {.epochs = 5, .batch_size = 4, .callbacks = {&keep}});
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "kept"))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"epoch-00004", "epoch-00005"}));
  EXPECT_EQ(load(folder / "kept/epoch-00005", "reference").predict(blobs(3).x()),
            trainer.predict(blobs(3).x()));
}

TEST(Callbacks, AFunctionIsOne) {
  std::vector<std::int64_t> steps, epochs;
  FitOptions options;
  options.epochs = 5;
  options.batch_size = 8;
  options.callbacks = {step_callback([&](Trainer&, const StepInfo& info) {
                         steps.push_back(info.step);
                         return true;
                       }),
                       epoch_callback([&](Trainer&, const EpochInfo& info) {
                         epochs.push_back(info.epoch);
                         return info.epoch < 2;
                       })};
  Trainer trainer(small_model(), small_options());
  trainer.fit(blobs(24), options);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(epochs, (std::vector<std::int64_t>{1, 2}));
  // One that stops at a step ends the fit there.
  options.callbacks = {step_callback([](Trainer&, const StepInfo& info) { return info.step < 4; })};
  Trainer other(small_model(), small_options());
  other.fit(blobs(24), options);
  EXPECT_EQ(other.steps_done(), 4);
  EXPECT_EQ(error_of([] { step_callback({}); }), "step_callback: the function is empty");
  EXPECT_EQ(error_of([] { epoch_callback({}); }), "epoch_callback: the function is empty");
}

}  // namespace
}  // namespace tenon
