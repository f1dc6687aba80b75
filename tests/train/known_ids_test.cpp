// Ids that a model has no row for are refused by name, wherever samples come from.
#include "tenon/nn/embedding.h"
#include "train_testing.h"

namespace tenon {
namespace {

// Two ids for each sample, the class is whether they are equal.
HostTensor pairs_of_ids(std::int32_t changed = 3) {
  HostTensor ids({DType::i32, {12, 2}});
  for (std::size_t i = 0; i < 24; ++i) ids.as<std::int32_t>()[i] = static_cast<std::int32_t>(i % 5);
  ids.as<std::int32_t>()[15] = changed;
  return ids;
}

data::Dataset samples(std::int32_t changed = 3) {
  HostTensor labels({DType::i32, {12}});
  for (std::size_t i = 0; i < 12; ++i) labels.as<std::int32_t>()[i] = i % 2 == 0 ? 0 : 1;
  return {"pairs", pairs_of_ids(changed), data::Array(std::move(labels)), {"no", "yes"}};
}

Trainer trainer() {
  return {nn::Sequential{nn::Embedding{.rows = 5, .width = 3}, nn::Flatten{}, nn::Dense{2}},
          small_options()};
}

TEST(KnownIds, OfADatasetAreChecked) {
  Trainer fits = trainer();
  fits.fit(samples(), {.epochs = 1, .batch_size = 4});
  for (const std::int32_t id : {-1, 5, 1 << 30}) {
    const std::string message =
        fmt::format("sample 7 of \"pairs\" has the id {}; the model knows 0 to 4", id);
    EXPECT_EQ(error_of([&] { trainer().fit(samples(id), {.epochs = 1, .batch_size = 4}); }),
              "fit: " + message);
    EXPECT_EQ(error_of([&] { fits.evaluate(samples(id)); }), "evaluate: " + message);
    EXPECT_EQ(
        error_of([&] { fits.predict(pairs_of_ids(id)); }),
        fmt::format("predict: sample 7 of \"input\" has the id {}; the model knows 0 to 4", id));
  }
}

TEST(KnownIds, OfABatchAreChecked) {
  Trainer one = trainer();
  const auto batch = [](std::int32_t id) {
    const data::Dataset all = samples(id);
    return data::Batch{all.x().tensor(), all.y().tensor(), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
  };
  one.step(batch(3));
  one.step(batch(4));  // like the step before
  EXPECT_EQ(error_of([&] { one.step(batch(5)); }),
            "step: sample 7 of \"batch\" has the id 5; the model knows 0 to 4");
  EXPECT_EQ(one.steps_done(), 2);
}

TEST(KnownIds, OfAStreamAreChecked) {
  const data::Dataset bad = samples(9);
  const data::Stream stream{"stream", data::Pipeline::from(bad), 12, bad.class_names(), 2};
  EXPECT_EQ(error_of([&] { trainer().fit(stream, {.epochs = 1, .batch_size = 4}); }),
            "stream \"stream\": sample 4 of epoch 0, sample 3 of its batch: id 9; the model knows "
            "0 to 4");
}

}  // namespace
}  // namespace tenon
