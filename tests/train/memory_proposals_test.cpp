// What a refusal for want of memory proposes is enough for all steps of the run.
#include <cmath>
#include <map>
#include <regex>

#include "tenon/base/text.h"
#include "train_testing.h"

namespace tenon {
namespace {

// A run: its data, and what a user may change after a refusal.
struct Training {
  std::int64_t samples = 256, validation = 0, test = 0;
  std::int64_t batch_size = 64, accumulated = 1;
  bool is_deep = false, is_streamed = false;
  RecomputePolicy recompute = RecomputePolicy::none;
  std::int64_t sanity_batches = 0;
  std::int64_t first = 64, width = 64;  // of the layers
  std::string device = "reference";     // which compiles nothing
};

nn::Sequential model_of(const Training& run) {
  if (!run.is_deep)
    return {nn::Dense{run.first, nn::relu}, nn::Dense{run.width, nn::relu}, nn::Dense{3}};
  nn::Sequential model;
  for (int i = 0; i < 4; ++i) {
    model.add(nn::Dense{24, nn::gelu});
    model.add(nn::LayerNorm{});
  }
  model.add(nn::Dense{3});
  return model;
}

data::Source source_of(const Training& run, std::int64_t samples) {
  const data::Dataset data = blobs(samples);
  if (!run.is_streamed) return data;
  const auto order = [samples](std::uint64_t) {
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < samples; ++i) indices.push_back(i);
    return indices;
  };
  return data::Stream{.name = "stream",
                      .samples = data::Pipeline::from(
                          order,
                          [data](std::int64_t i) {
                            return data::Pipeline::from(data.rows(i, 1)).samples()().value();
                          }),
                      .size = samples,
                      .class_names = data.class_names()};
}

// What it says if it is refused, else nothing. A run that is not refused makes some steps and
// its evaluation.
std::string refusal(const Training& run, std::int64_t limit) {
  TrainerOptions options = small_options(run.device);
  options.memory_limit = limit;
  options.recompute = run.recompute;
  options.optimizer = {optim::Adam{.learning_rate = 0.05}, {.accumulate_steps = run.accumulated}};
  Trainer trainer(model_of(run), options);
  FitOptions fit{.epochs = 1,
                 .batch_size = run.batch_size,
                 .steps_per_epoch = 3,
                 .sanity_batches = run.sanity_batches};
  // What is checked with stays in memory where training data is streamed.
  if (run.validation > 0) fit.validation = blobs(run.validation);
  if (run.test > 0) fit.test = blobs(run.test);
  try {
    trainer.fit(source_of(run, run.samples), fit);
    if (fit.test) trainer.evaluate(*fit.test);
  } catch (const UserError& error) {
    EXPECT_EQ(trainer.steps_done(), 0) << "refused too late: " << error.what();
    return error.what();
  }
  return "";
}

// As the command line reads it.
std::int64_t bytes_of(const std::string& number, const std::string& unit) {
  const std::map<std::string, double> units = {{"bytes", 1}, {"KiB", 1024}, {"MiB", 1 << 20}};
  return static_cast<std::int64_t>(std::floor(std::stod(number) * units.at(unit)));
}

constexpr const char* kSize = "([0-9.]+) (bytes|KiB|MiB)";

// The first match of `pattern`, in which SIZE stands for a number of bytes.
std::smatch find(const std::string& text, std::string pattern) {
  pattern.replace(pattern.find("SIZE"), 4, kSize);
  std::smatch match;
  std::regex_search(text, match, std::regex(pattern));
  return match;
}

// Takes what the message proposes, one after the other; how many there were.
int expect_enough(const Training& run, std::int64_t limit, const std::string& message) {
  int proposals = 0;
  const auto expect_runs = [&](const Training& changed, std::int64_t bytes) {
    ++proposals;
    EXPECT_EQ(refusal(changed, bytes), "") << "though this was said:\n" << message;
  };
  const auto rows_of = [](const std::smatch& match) { return std::stoll(match[1]); };
  if (std::smatch match = find(message, "the backward pass, fits in SIZE"); !match.empty()) {
    Training again = run;
    again.recompute = RecomputePolicy::automatic;
    EXPECT_LE(bytes_of(match[1], match[2]), limit);
    expect_runs(again, limit);
  }
  if (std::smatch match = find(message, R"(batches of (\d+) with recompute "auto" need SIZE)");
      !match.empty()) {
    Training again = run;
    again.recompute = RecomputePolicy::automatic;
    again.batch_size = rows_of(match);
    expect_runs(again, limit);
  }
  if (std::smatch match = find(message, R"(help: batches of (\d+) need SIZE)");
      !match.empty() && match.suffix().str().find(" still") != 0) {
    Training smaller = run;
    smaller.batch_size = rows_of(match);
    expect_runs(smaller, limit);
    if (match = find(message, R"(--accumulate (\d+)\) SIZE)"); !match.empty()) {
      smaller.accumulated = rows_of(match);
      expect_runs(smaller, limit);
      EXPECT_EQ(smaller.accumulated * smaller.batch_size, run.batch_size);
    }
  }
  if (std::smatch match = find(message, "give it SIZE or more"); !match.empty()) {
    Training smallest = run;
    smallest.batch_size = 1;
    const std::int64_t bytes = bytes_of(match[1], match[2]);
    expect_runs(smallest, bytes);
    EXPECT_NE(refusal(smallest, bytes - 1024), "");
  }
  if (std::smatch match = find(message, R"(--workers\).*with batches of (\d+) a step needs SIZE)");
      !match.empty()) {
    Training streamed = run;
    streamed.is_streamed = true;
    streamed.batch_size = rows_of(match);
    expect_runs(streamed, limit);
  }
  return proposals;
}

std::int64_t need_in(const std::string& message) {
  const std::smatch match = find(message, "with batches of [0-9]+ needs SIZE");
  return match.empty() ? 0 : bytes_of(match[1], match[2]);
}

// Limits from what is just too little down to what no batch is content with.
void expect_enough_below(const Training& run) {
  const std::string told = refusal(run, 1);
  const std::int64_t need = need_in(told);
  ASSERT_GT(need, 0) << told;
  EXPECT_EQ(refusal(run, need), "");
  int proposals = 0;
  for (const double part : {0.95, 0.6, 0.3, 0.1}) {
    const auto limit = static_cast<std::int64_t>(part * static_cast<double>(need));
    const std::string message = refusal(run, limit);
    EXPECT_NE(message, "");
    proposals += expect_enough(run, limit, message);
  }
  EXPECT_GE(proposals, 4);
}

TEST(MemoryProposals, AreEnoughForTheTraining) { expect_enough_below({}); }

TEST(MemoryProposals, AreEnoughForAnEvaluationThatNeedsMore) {
  const Training run{.samples = 16, .validation = 600, .batch_size = 256};
  EXPECT_NE(refusal(run, 1).find(": an evaluation with batches of "), std::string::npos);
  expect_enough_below(run);
}

TEST(MemoryProposals, AreEnoughForTheTestSet) {
  const Training run{.samples = 16, .test = 600, .batch_size = 256};
  EXPECT_NE(refusal(run, 1).find(": an evaluation with batches of "), std::string::npos);
  expect_enough_below(run);
}

TEST(MemoryProposals, AreEnoughWithBatchesThatAreTriedFirst) {
  expect_enough_below({.samples = 96, .validation = 200, .batch_size = 128, .sanity_batches = 2});
}

TEST(MemoryProposals, AreEnoughWithRecomputation) {
  const Training training{.validation = 300, .batch_size = 256, .is_deep = true, .device = "cpu"};
  for (const std::int64_t limit : {200 << 10, 60 << 10}) {
    const std::string message = refusal(training, limit);
    EXPECT_NE(message.find("recompute"), std::string::npos) << message;
    EXPECT_GE(expect_enough(training, limit, message), 1) << message;
  }
}

// Its few rows are multiplied with a copy of the weights where these make few tiles (with AVX-512,
// the first of these layers): then it needs more than the others.
TEST(MemoryProposals, AreEnoughForAShortLastBatch) {
  for (const auto& [first, width] : {std::pair{320, 4096}, std::pair{1024, 1024}})
    for (const bool is_streamed : {false, true}) {
      const Training run{.samples = 72,
                         .batch_size = 64,
                         .is_streamed = is_streamed,
                         .first = first,
                         .width = width,
                         .device = "cpu"};
      const std::string told = refusal(run, 1);
      const std::int64_t need = need_in(told);
      ASSERT_GT(need, 0) << told;
      EXPECT_EQ(refusal(run, need), "");
      if (first == width) {
        EXPECT_EQ(told.find("with batches of 8 needs "), std::string::npos) << told;
      }
    }
}

TEST(MemoryProposals, StreamWhatIsTooLarge) {
  for (const std::int64_t others : {0, 300}) {
    const Training run{.samples = 30000, .validation = others, .test = others, .batch_size = 64};
    const std::string message = refusal(run, 200 << 10);
    EXPECT_NE(message.find("or stream the data (--workers of tenon train)"), std::string::npos)
        << message;
    expect_enough(run, 200 << 10, message);
  }
}

TEST(MemoryProposals, WhatIsLessButNotEnoughIsNoRemedy) {
  const Training run{.batch_size = 256, .is_deep = true, .device = "cpu"};
  const std::string message = refusal(run, 40 << 10);
  EXPECT_NE(message.find("in the backward pass, alone is not enough: it needs "), std::string::npos)
      << message;
}

}  // namespace
}  // namespace tenon
