#include "tenon/train/callbacks.h"
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

}  // namespace
}  // namespace tenon
