#include "train_testing.h"

namespace tenon {
namespace {

TEST(Summary, BeforeDataIsSeenSizesAreUnknown) {
  EXPECT_EQ(Trainer(model_with_state(), small_options()).summary(),
            "Layer (kind)              Output shape   Parameters\n"
            "---------------------------------------------------\n"
            "dense (dense)             ?                       ?\n"
            "batch_norm (batch_norm)   ?                       ?\n"
            "dropout (dropout)         ?                       ?\n"
            "dense_1 (dense)           ?                       ?\n"
            "---------------------------------------------------\n"
            "Parameters are known once the model has seen data (build or fit).\n");
}

TEST(Summary, AfterwardsEveryLayerHasItsShapeAndParameters) {
  Trainer trainer(model_with_state(), small_options());
  trainer.build(blobs(4));
  EXPECT_EQ(trainer.summary(),
            "Layer (kind)              Output shape   Parameters\n"
            "---------------------------------------------------\n"
            "dense (dense)             (None, 8)              24\n"
            "batch_norm (batch_norm)   (None, 8)              32\n"
            "dropout (dropout)         (None, 8)               0\n"
            "dense_1 (dense)           (None, 3)              27\n"
            "---------------------------------------------------\n"
            "Total parameters: 83 (0.32 KiB)\n"
            "Trainable: 67\n"
            "Not trainable: 16\n");
}

TEST(Summary, LargeNumbersAreGrouped) {
  Trainer trainer(nn::Sequential{nn::Sequential{nn::Dense{1000}}, nn::Dense{3}}, small_options());
  trainer.build(blobs(4));
  EXPECT_NE(trainer.summary().find("sequential (sequential)   (None, 1000)        3,000\n"),
            std::string::npos)
      << trainer.summary();
}

TEST(CompiledStep, WantsABatch) {
  Trainer trainer(model_with_state(), small_options());
  trainer.build(blobs(4));
  for (const std::int64_t size : {-1, 0})
    EXPECT_EQ(error_of([&] { trainer.compiled_step(size); }),
              fmt::format("compiled_step: expected a batch size of 1 or more, got {}", size));
}

}  // namespace
}  // namespace tenon
