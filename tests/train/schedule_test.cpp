// Schedules in a fit: every step has its rate, and a run that goes on has the rates it would have
// had; averages of weights.
#include "tenon/optim/gradient_descent.h"
#include "tenon/train/checkpoint.h"
#include "train_testing.h"

namespace tenon {
namespace {

struct RateRecorder final : Callback {
  std::vector<double> rates;
  bool on_step_end(Trainer& trainer, const StepInfo&) override {
    const Variable rate = trainer.options().optimizer.learning_rate();
    rates.push_back(element_as_double(trainer.session().read(rate), 0));
    return true;
  }
};

TrainerOptions scheduled_options(const std::string& device = "reference") {
  TrainerOptions options = small_options(device);
  options.optimizer = optim::Sgd{.learning_rate = 0.5};
  options.schedule = {optim::Cosine{.steps = 6, .end = 0.5}, 2};
  return options;
}

TEST(ScheduledFit, EveryStepHasTheRateOfTheSchedule) {
  const TrainerOptions options = scheduled_options();
  std::vector<double> expected;
  for (std::int64_t step = 0; step < 9; ++step)
    expected.push_back(options.schedule.rate(step, 0.5));
  EXPECT_EQ(expected[0], 0.25);
  EXPECT_EQ(expected[8], 0.25);
  Trainer trainer(model_with_state(), options);
  for (int fit = 0; fit < 3; ++fit) {  // the schedule goes on from fit to fit
    RateRecorder recorder;
    trainer.fit(blobs(10), {.batch_size = 4, .callbacks = {&recorder}});
    EXPECT_EQ(recorder.rates,
              (std::vector<double>(expected.begin() + 3 * fit, expected.begin() + 3 * fit + 3)));
  }
}

TEST(ScheduledFit, CountsUpdatesWhereGradientsAccumulate) {
  TrainerOptions options = scheduled_options();
  options.optimizer = optim::Optimizer(optim::Sgd{.learning_rate = 0.5}, {.accumulate_steps = 2});
  Trainer trainer(model_with_state(), options);
  RateRecorder recorder;
  trainer.fit(blobs(20), {.batch_size = 4, .callbacks = {&recorder}});
  std::vector<double> expected;
  for (const std::int64_t update : {0, 0, 1, 1, 2})
    expected.push_back(options.schedule.rate(update, 0.5));
  EXPECT_EQ(recorder.rates, expected);
}

TEST(ScheduledFit, ComputesWhatRatesWrittenByHandCompute) {
  Trainer scheduled(model_with_state(), scheduled_options());
  TrainerOptions plain = scheduled_options();
  plain.schedule = {};
  Trainer written(model_with_state(), plain);
  const optim::Schedule schedule = scheduled_options().schedule;
  const data::Dataset data = blobs(4);
  data::Batch batch;
  data::fill_batch(data, std::vector<std::int64_t>{0, 1, 2, 3}, batch);
  written.build(data);
  for (std::int64_t step = 0; step < 4; ++step) {
    written.session().write(written.options().optimizer.learning_rate(),
                            make_scalar(schedule.rate(step, 0.5)));
    EXPECT_EQ(scheduled.step(batch), written.step(batch)) << step;
  }
}

TEST(ScheduledFit, ARunThatGoesOnEndsWithTheSameBits) {
  const auto fit = [](const std::string& folder, std::int64_t stop, bool resume) {
    Trainer trainer(model_with_state(), scheduled_options());
    StopAfter callback(stop);
    FitOptions options{.epochs = 3, .batch_size = 4, .run_folder = folder, .resume = resume};
    if (stop > 0) options.callbacks = {&callback};
    trainer.fit(blobs(10), options);
  };
  const TemporaryFolder folder;
  fit(folder / "whole", 0, false);
  fit(folder / "parts", 4, false);
  fit(folder / "parts", 0, true);
  const RunFiles whole{folder / "whole"}, parts{folder / "parts"};
  EXPECT_EQ(io::read_text_file(whole.model()), io::read_text_file(parts.model()));
  EXPECT_EQ(io::read_text_file(whole.state()), io::read_text_file(parts.state()));

  Trainer loaded = load(folder / "parts", "reference");
  EXPECT_EQ(loaded.options().schedule.kind(), "cosine");
  EXPECT_EQ(loaded.options().schedule.rate(3, 0.5), scheduled_options().schedule.rate(3, 0.5));
}

TEST(ScheduledFit, AnotherScheduleDoesNotGoOn) {
  const TemporaryFolder folder;
  FitOptions fit{.batch_size = 4, .run_folder = folder / "run"};
  Trainer(model_with_state(), scheduled_options()).fit(blobs(10), fit);
  TrainerOptions other = scheduled_options();
  other.schedule = {optim::Cosine{.steps = 7, .end = 0.5}, 2};
  fit.resume = true;
  fit.epochs = 2;
  EXPECT_EQ(error_of([&] { Trainer(model_with_state(), other).fit(blobs(10), fit); }),
            RunFiles{folder / "run"}.description().string() +
                ": the run cannot go on: schedule/steps was 6, now it is 7");
}

TEST(Averages, AreSavedInPlaceOfTheWeights) {
  const TemporaryFolder folder;
  TrainerOptions options = small_options();
  options.optimizer = {optim::Sgd{.learning_rate = 0.5}, {.average_decay = 0.75}};
  Trainer trainer(model_with_state(), options);
  trainer.build(blobs(8));
  EXPECT_EQ(error_of([&] { trainer.save_averages(folder / "a.safetensors"); }),
            "optimizer sgd: no update of \"dense/kernel\" was traced yet");
  const data::Dataset data = blobs(8);
  data::Batch batch;
  data::fill_batch(data, std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7}, batch);
  trainer.step(batch);
  const Variable kernel = trainer.weights().front();
  const HostTensor first = trainer.session().read(kernel);
  trainer.step(batch);
  const HostTensor second = trainer.session().read(kernel);
  trainer.save_averages(folder / "a.safetensors");
  trainer.load_weights(folder / "a.safetensors");
  const HostTensor average = trainer.session().read(kernel);
  EXPECT_FALSE(first == second);
  for (std::int64_t i = 0; i < first.size(); ++i)
    EXPECT_NEAR(element_as_double(average, i),
                0.75 * element_as_double(first, i) + 0.25 * element_as_double(second, i), 1e-6);
  Trainer plain(model_with_state(), small_options());
  plain.build(data);
  EXPECT_EQ(error_of([&] { plain.save_averages(folder / "b.safetensors"); }),
            "optimizer adam keeps no averages of weights; set UpdateOptions::average_decay");
}

}  // namespace
}  // namespace tenon
