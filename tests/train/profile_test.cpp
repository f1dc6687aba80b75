// What a trainer that profiles knows of its kernels: which layer they are for, and where that was
// written.
#include <algorithm>

#include "tenon/ir/graph.h"
#include "tenon/tensor/functions.h"
#include "train_testing.h"

namespace tenon {
namespace {

using Part = backends::LaunchInfo::Part;

constexpr std::int64_t kBatch = 32;

TrainerOptions profiled() {
  TrainerOptions options = small_options("cpu");
  options.profile = true;
  return options;
}

// A line of this file.
std::string here(int line) { return fmt::format("profile_test.cpp:{}", line); }

std::vector<backends::LaunchInfo> launches_of(Trainer& trainer) {
  trainer.fit(blobs(64), {.epochs = 1, .batch_size = kBatch});
  const auto launches = trainer.compiled_step(kBatch).launches();
  return {launches.begin(), launches.end()};
}

// Those of the launch that writes this value.
std::vector<Part> parts_of(const std::vector<backends::LaunchInfo>& launches,
                           const std::string& written) {
  for (const backends::LaunchInfo& launch : launches)
    if ((", " + launch.writes + ",").find(", " + written + ",") != std::string::npos)
      return launch.parts;
  ADD_FAILURE() << "no launch writes " << written;
  return {};
}

bool is_part(const std::vector<Part>& parts, const Part& part) {
  return std::ranges::find(parts, part) != parts.end();
}

TEST(Profile, NamesTheLayerAndItsLine) {
  nn::Sequential model;
  const int first = __LINE__ + 1;
  model.add(nn::Dense{8, nn::relu});
  model.add(nn::LayerNorm{});
  model.add(nn::Dense{3});
  Trainer trainer(model, profiled());
  const std::vector<backends::LaunchInfo> launches = launches_of(trainer);
  const Part dense{"dense", here(first)}, norm{"layer_norm", here(first + 1)},
      last{"dense_1", here(first + 2)};
  for (const char* weight : {"dense/kernel", "dense/bias"})
    EXPECT_TRUE(is_part(parts_of(launches, weight), dense)) << weight;
  for (const char* weight : {"layer_norm/scale", "layer_norm/offset"})
    EXPECT_TRUE(is_part(parts_of(launches, weight), norm)) << weight;
  // Updates of weights in kernels of their own are of the layer, too.
  for (const char* weight : {"dense_1/kernel", "optimizer/dense_1/kernel/m"})
    EXPECT_TRUE(is_part(parts_of(launches, weight), last)) << weight;
  for (const char* part : {"loss", "metrics"})
    EXPECT_TRUE(std::ranges::any_of(launches, [&](const auto& launch) {
      return is_part(launch.parts, {part, ""});
    })) << part;
}

// A layer of a user, with parts.
struct Twice {
  static constexpr std::string_view kKind = "twice";
  nn::Layer inner;
  Tensor operator()(const Tensor& x, nn::Context& context) {
    return inner(x, context) * 2 + inner(x * x, context);
  }
  void fields(nn::FieldVisitor& visit) { visit("inner", inner); }
};

TEST(Profile, NamesLayersWithinLayersAndLoops) {
  nn::Sequential model;
  const int line = __LINE__ + 1;
  model.add(Twice{nn::Dense{4}});
  model.add(nn::Dense{3});
  Trainer trainer(model, profiled());
  const std::vector<backends::LaunchInfo> launches = launches_of(trainer);
  EXPECT_TRUE(is_part(parts_of(launches, "twice/dense/kernel"), {"twice/dense", here(line)}));
  EXPECT_TRUE(std::ranges::any_of(launches, [&](const auto& launch) {
    return is_part(launch.parts, {"twice", here(line)});
  }));
}

TEST(Profile, ComputingAgainIsOfTheSameLayer) {
  nn::Sequential model;
  const int line = __LINE__ + 1;
  for (int i = 0; i < 6; ++i) model.add(nn::Dense{16, nn::gelu});
  model.add(nn::Dense{3});
  TrainerOptions options = profiled();
  options.recompute = RecomputePolicy::full;
  Trainer trainer(model, options);
  std::int64_t of_second = 0;
  for (const backends::LaunchInfo& launch : launches_of(trainer))
    of_second += is_part(launch.parts, {"dense_1", here(line)});
  EXPECT_GE(of_second, 3);  // forward, again, backward
}

TEST(Profile, OfAModelFromAFileKnowsNoLines) {
  const TemporaryFolder folder;
  Trainer trainer(small_model(), small_options("cpu"));
  trainer.fit(blobs(64), {.epochs = 1, .batch_size = kBatch});
  trainer.save(folder / "");
  LoadOptions options;
  options.profile = true;
  Trainer loaded = load(folder / "", options);
  EXPECT_TRUE(is_part(parts_of(launches_of(loaded), "dense_1/kernel"), {"dense_1", ""}));
}

// The same computation, wherever it was written, is one program.
TEST(Profile, LinesAreNoPartOfTheProgram) {
  const auto graph_of = [](nn::Sequential model) {
    Trainer trainer(std::move(model), small_options("cpu"));
    trainer.build(blobs(64));
    return trainer.step_graph(kBatch);
  };
  const ir::Graph here = graph_of(nn::Sequential{nn::Dense{8}});
  const ir::Graph there = graph_of(nn::Sequential{nn::Dense{8}});
  EXPECT_EQ(here, there);
  EXPECT_EQ(here.hash(), there.hash());
}

}  // namespace
}  // namespace tenon
