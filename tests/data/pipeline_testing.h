// Helpers of the pipeline tests: samples that are numbers, and what pipelines give of them.
#pragma once
#include "data_testing.h"
#include "tenon/data/pipeline_batches.h"

namespace tenon::data {

using Values = std::vector<int>;

inline Sample scalar_sample(int value) {
  return {make_scalar(static_cast<float>(value)), make_scalar(0)};
}
inline int value_of(const Sample& sample) { return static_cast<int>(sample.x.as<float>()[0]); }

inline Pipeline counting_to(std::int64_t size) {
  return Pipeline::from(size, [](std::int64_t i) { return scalar_sample(static_cast<int>(i)); });
}

inline Values values_of(const Pipeline& pipeline, std::uint64_t epoch = 0) {
  Values values;
  const Generator generator = pipeline.samples(epoch);
  while (const std::optional<Sample> sample = generator()) values.push_back(value_of(*sample));
  return values;
}

// Everything a pass gives: the bytes of each batch and the indices of its samples.
struct WholeBatch {
  HostTensor x, y;
  std::vector<std::int64_t> indices;
  bool operator==(const WholeBatch&) const = default;
};

inline std::vector<WholeBatch> whole_batches(const Pipeline& pipeline, std::int64_t size,
                                             const PipelineBatchOptions& options) {
  std::vector<WholeBatch> all;
  PipelineBatches batches = pipeline.batches(size, options);
  while (const Batch* batch = batches.next()) all.push_back({batch->x, batch->y, batch->indices});
  return all;
}

// The same batches for any number of workers, and from every position where a batch ended.
inline void expect_repeatable(const Pipeline& pipeline, std::int64_t size,
                              PipelineBatchOptions options) {
  const std::vector<WholeBatch> expected = whole_batches(pipeline, size, options);
  for (const int workers : {1, 2, 5})
    for (const int ahead : {1, 4}) {
      options.workers = workers;
      options.ahead = ahead;
      EXPECT_EQ(whole_batches(pipeline, size, options), expected)
          << workers << " workers, " << ahead << " ahead";
    }
  PipelineBatches batches = pipeline.batches(size, options);
  std::size_t given = 0;
  do {
    PipelineBatchOptions rest = options;
    rest.workers = 3;
    rest.position = batches.position();
    EXPECT_EQ(whole_batches(pipeline, size, rest),
              std::vector<WholeBatch>(expected.begin() + static_cast<std::ptrdiff_t>(given),
                                      expected.end()))
        << "after " << given << " batches";
    ++given;
  } while (batches.next() != nullptr);
  EXPECT_EQ(given, expected.size() + 1);
}

}  // namespace tenon::data
