// The workspace that is planned for every network.
#include <gtest/gtest.h>

#include <algorithm>

#include "tenon/models/catalog.h"
#include "tenon/train/trainer.h"

namespace tenon {
namespace {

std::int64_t in_whole_lines(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

// The arena against what no placement can be below: the largest sum of values alive at once.
TEST(Arena, IsHardlyMoreThanWhatIsAlive) {
  const TensorType image{DType::u8, {32, 32, 3}}, sound{DType::f32, {2000}}, ids{DType::i32, {64}},
      numbers{DType::f32, {13}};
  const std::pair<std::string, TensorType> models[] = {
      {"logistic-regression", numbers},
      {"mlp", image},
      {"lenet", image},
      {"resnet20", image},
      {"resnet18:small=1:width=16", image},
      {"resnet50:small=1:width=8", image},
      {"mobilenet-v2:small=1:width=0.5", image},
      {"vit:patch=4:width=64:layers=4:heads=4", image},
      {"speech-commands:filters=16:rate=2000:bands=20", sound},
      {"char-lstm:units=64/64", ids},
      {"gpt:layers=4:heads=4:width=128", ids},
  };
  for (const auto& [name, row] : models) {
    for (const std::int64_t batch : {1, 24}) {
      Shape shape{2};
      shape.insert(shape.end(), row.shape.begin(), row.shape.end());
      const bool are_ids = row.dtype == DType::i32;
      HostTensor x({row.dtype, shape}), y({DType::i32, are_ids ? shape : Shape{2}});
      Trainer trainer(models::make_model(name, {row, 10}), {});
      std::vector<std::string> classes(10, "");
      for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = fmt::format("{}", i);
      trainer.build(data::Dataset("zeros", x, data::Array(y), classes));
      const backends::MemoryMap map = trainer.memory(batch).map;
      std::vector<std::int64_t> alive(map.launches.size());
      for (const backends::MemoryUse& use : map.uses) {
        EXPECT_LE(use.offset + use.bytes, map.arena_bytes) << name << " " << use.value;
        for (std::uint32_t i = use.first; i <= use.last; ++i) alive[i] += in_whole_lines(use.bytes);
      }
      const std::int64_t bound = *std::ranges::max_element(alive);
      EXPECT_LE(static_cast<double>(map.arena_bytes), 1.05 * static_cast<double>(bound))
          << name << ", batches of " << batch;
    }
  }
}

}  // namespace
}  // namespace tenon
