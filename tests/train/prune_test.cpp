#include "tenon/train/prune.h"

#include "../data/sample_reading.h"
#include "tenon/io/safetensors.h"
#include "tenon/train/compression.h"
#include "train_testing.h"

namespace tenon {
namespace {

TEST(Prune, ChoosesTheWeightsThatPytorchChooses) {
  const nlohmann::json all = samples::read_samples("compression_samples.json");
  for (const nlohmann::json& sample : all.at("pruned")) {
    std::vector<HostTensor> weights;
    for (const nlohmann::json& weight : sample.at("weights"))
      weights.push_back(samples::read_tensor(weight));
    zero_smallest(weights, sample.at("sparsity"), sample.at("is_global"));
    for (std::size_t i = 0; i < weights.size(); ++i)
      EXPECT_EQ(samples::difference(weights[i], samples::read_tensor(sample.at("pruned")[i]), 0),
                "")
          << sample.at("sparsity") << sample.at("is_global");
  }
}

TEST(Prune, EqualMagnitudesGoInOrderAndNanStays) {
  std::vector<HostTensor> weights = {make_tensor<float>({6}, {1, -1, NAN, 1, -1, 1})};
  zero_smallest(weights, 0.5, false);
  EXPECT_EQ(weights[0].as<float>()[0], 0);
  EXPECT_EQ(weights[0].as<float>()[1], 0);
  EXPECT_TRUE(std::isnan(weights[0].as<float>()[2]));
  EXPECT_EQ(weights[0].as<float>()[3], 0);
  EXPECT_EQ(weights[0].as<float>()[4], -1);
}

TEST(Prune, ScheduleIsThatOfZhuAndGupta) {
  const nlohmann::json sample = samples::read_samples("compression_samples.json").at("schedule");
  const nlohmann::json& numbers = sample.at("options");
  PruneOptions options;
  options.initial_sparsity = numbers[0];
  options.sparsity = numbers[1];
  options.begin_step = numbers[2];
  options.end_step = numbers[3];
  for (const nlohmann::json& pair : sample.at("steps"))
    EXPECT_NEAR(sparsity_at(options, pair[0]), pair[1].get<double>(), 1e-14) << pair;
  EXPECT_EQ(sparsity_at(options, 99), 0);
  EXPECT_EQ(sparsity_at(options, 10'000), 0.9);
  EXPECT_EQ(sparsity_at({.sparsity = 0.7}, 0), 0.7);  // at once
}

TEST(Prune, RefusesWhatCannotBe) {
  const auto error = [](const PruneOptions& options) {
    return error_of([&] { MagnitudePruning callback(options); });
  };
  EXPECT_EQ(error({.sparsity = 1}), "prune: a sparsity from 0 to below 1 expected, got 1");
  EXPECT_EQ(error({.sparsity = NAN}), "prune: a sparsity from 0 to below 1 expected, got nan");
  EXPECT_EQ(error({.sparsity = 0.5, .initial_sparsity = 0.6}),
            "prune: initial_sparsity 0.6 is above sparsity 0.5");
  EXPECT_EQ(error({.every = 0}), "prune: every must be 1 or more, got 0");
  EXPECT_EQ(error({.begin_step = -1}),
            "prune: steps must not be negative, got begin_step -1 and end_step 0");
  Trainer trainer(small_model(), small_options());
  EXPECT_EQ(error_of([&] { prune(trainer, {}); }),
            "prune: the model has no weights yet; fit, build or load it first");
}

// Which elements of the kernels are zero after each step.
class ZeroWatcher final : public Callback {
 public:
  bool on_step_end(Trainer& trainer, const StepInfo& info) override {
    std::vector<std::int64_t> zeros;
    std::int64_t place = 0;
    for (const Variable& weight : trainer.weights()) {
      if (weight.type().rank() < 2) continue;
      const HostTensor value = trainer.session().read(weight);
      for (std::int64_t i = 0; i < value.size(); ++i, ++place)
        if (element_as_double(value, i) == 0) zeros.push_back(place);
    }
    of_step[info.step] = zeros;
    return true;
  }
  std::map<std::int64_t, std::vector<std::int64_t>> of_step;
};

PruneOptions small_pruning() {
  PruneOptions options;
  options.sparsity = 0.6;
  options.begin_step = 2;
  options.end_step = 8;
  options.every = 3;
  return options;
}

TEST(MagnitudePruning, PrunedWeightsStayZeroAndFollowTheSchedule) {
  for (const std::string& device : tested_devices()) {
    MagnitudePruning pruning(small_pruning());
    ZeroWatcher watcher;
    Trainer trainer(small_model(), small_options(device));
    trainer.fit(blobs(24), {.epochs = 4, .batch_size = 8, .callbacks = {&pruning, &watcher}});
    // Kernels of 2 * 8 and 8 * 3 elements; pruned after steps 2, 5 and 8.
    std::size_t before = 0;
    for (std::int64_t step = 1; step <= 12; ++step) {
      const double part = sparsity_at(small_pruning(), step - (step < 8 ? (step - 2) % 3 : 0));
      const std::size_t expected =
          step < 2 ? 0
                   : static_cast<std::size_t>(std::llround(16 * part) + std::llround(24 * part));
      EXPECT_EQ(watcher.of_step[step].size(), expected) << device << " " << step;
      EXPECT_GE(expected, before);
      before = expected;
      // What is zero stays zero.
      if (step > 1) {
        EXPECT_TRUE(std::ranges::includes(watcher.of_step[step], watcher.of_step[step - 1]))
            << device << " " << step;
      }
    }
    EXPECT_NEAR(sparsity_of(trainer, pruned_weights(trainer, {})), 0.6, 0.02);
    EXPECT_GT(trainer.evaluate(blobs(60))["accuracy"], 0.6) << device;
  }
}

TEST(MagnitudePruning, ARunThatGoesOnHasTheSameBits) {
  for (const std::int64_t stop : {1, 4, 5, 9}) {
    const TemporaryFolder folder;
    const auto fit = [&](const std::string& run, bool resume, std::int64_t steps) {
      MagnitudePruning pruning(small_pruning());
      Trainer trainer(model_with_state(), small_options());
      FitOptions options{.epochs = 4, .batch_size = 8, .checkpoint_every = 1};
      options.max_steps = steps;
      options.run_folder = folder / run;
      options.resume = resume;
      options.callbacks = {&pruning};
      trainer.fit(blobs(24), options);
      return io::read_text_file(folder / run + "/model.safetensors");
    };
    const std::string whole = fit("whole", false, 0);
    fit("parts", false, stop);
    EXPECT_EQ(fit("parts", true, 0), whole) << stop;
  }
}

TEST(MagnitudePruning, GlobalPruningAndChosenWeights) {
  PruneOptions options{.sparsity = 0.5, .is_global = true};
  Trainer trainer(small_model(), small_options());
  trainer.build(blobs(24));
  prune(trainer, options);
  EXPECT_EQ(sparsity_of(trainer, pruned_weights(trainer, options)), 0.5);
  options = {.sparsity = 0.75};
  options.chooses = [](const Variable& weight) { return weight.name() == "dense_1/kernel"; };
  Trainer other(small_model(), small_options());
  other.build(blobs(24));
  prune(other, options);
  EXPECT_EQ(sparsity_of(other, pruned_weights(other, options)), 0.75);
  EXPECT_EQ(sparsity_of(other, std::array{other.weights()[0]}), 0);
}

TEST(SparseWeights, ComeBackWholeAndTakeLess) {
  const TemporaryFolder folder;
  Trainer trainer(model_with_state(), small_options());
  trainer.build(blobs(24));
  prune(trainer, {.sparsity = 0.75});
  const std::string file = folder / "sparse.safetensors";
  const std::int64_t bytes = write_sparse_weights(file, trainer);
  EXPECT_LT(bytes, weight_bytes(trainer));
  const io::NamedTensors tensors = read_sparse_weights(file);
  ASSERT_EQ(tensors.size(), trainer.weights().size());
  for (const Variable& weight : trainer.weights())
    EXPECT_EQ(tensors.at(weight.name()), trainer.session().read(weight)) << weight.name();
  // dense/kernel f32[2,8] has 4 values and 2 bytes of bits.
  const io::Safetensors stored = io::read_safetensors(file);
  EXPECT_EQ(stored.tensors.at("dense/kernel.values").type(), (TensorType{DType::f32, {4}}));
  EXPECT_EQ(stored.tensors.at("dense/kernel.bits").type(), (TensorType{DType::u8, {2}}));
  EXPECT_EQ(stored.metadata.at("shape dense/kernel"), "2,8");
}

TEST(SparseWeights, BadFilesAreRefused) {
  const TemporaryFolder folder;
  const std::string file = folder / "w.safetensors";
  const auto error = [&](HostTensor values, HostTensor bits, const std::string& shape) {
    io::write_safetensors(file, {{"w.values", std::move(values)}, {"w.bits", std::move(bits)}},
                          {{"shape w", shape}});
    const std::string message = error_of([&] { read_sparse_weights(file); });
    EXPECT_TRUE(message.starts_with(file + ": ")) << message;
    return message.substr(std::min(file.size() + 2, message.size()));
  };
  const HostTensor two = make_tensor<float>({2}, {1, 2});
  const HostTensor bits = make_tensor<std::uint8_t>({1}, {0b101});
  EXPECT_EQ(error(two, make_tensor<std::uint8_t>({1}, {0b111}), "2,4"),
            "\"w\" has 2 values for 3 bits that are set");
  EXPECT_EQ(error(two, bits, "2,x"),
            "the shape of \"w\" is \"2,x\", extents with commas between them expected");
  EXPECT_EQ(error(two, bits, "9000000000000000000,9000000000000000000"),
            "\"w\" has bits for 8 elements, its shape [9000000000000000000, 9000000000000000000] "
            "has more");
  EXPECT_EQ(error(two, bits, "0"), "\"w\" has bits for 8 elements, its shape [0] has 0");
  EXPECT_EQ(error(two, bits, "2"), "\"w\" has bits beyond its 2 elements");
  EXPECT_EQ(error(two, make_tensor<float>({1}, {1}), "2"),
            "\"w\" is f32[2] values and f32[1] bits, one axis of each expected");
  io::write_safetensors(file, {{"w.values", two}}, {{"shape w", "2"}});
  EXPECT_EQ(error_of([&] { read_sparse_weights(file); }),
            file + ": \"w\" has a shape, but not both values and bits");
}

}  // namespace
}  // namespace tenon
