// Lesson 3: datasets are values; iterating gives batches.
#include <tenon/tenon.h>

#include <cstdio>
#include <vector>

int main() {
  std::vector<float> values;
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 10; ++i) {
    values.insert(values.end(), {static_cast<float>(i), static_cast<float>(i * i)});
    labels.push_back(i % 2);
  }
  const auto dataset =
      tenon::data::from_arrays(std::span<const float>(values), {10, 2},
                               std::span<const std::int32_t>(labels), {"even", "odd"});
  std::printf("%lld samples, %lld classes\n", static_cast<long long>(dataset.size()),
              static_cast<long long>(dataset.class_count()));

  for (auto& batch : dataset.batches(4))  // the last batch is short
    std::printf(
        "batch of %lld: x %s, first label %s\n", static_cast<long long>(batch.size()),
        tenon::to_string(batch.x.type()).c_str(),
        dataset.class_names()[static_cast<std::size_t>(batch.y.as<std::int32_t>()[0])].c_str());

  const auto parts = dataset.split(0.8, 1);
  std::printf("split: %lld and %lld\n", static_cast<long long>(parts.first.size()),
              static_cast<long long>(parts.second.size()));

  const auto scaling =
      tenon::data::Normalization::fit(dataset, tenon::data::NormalizationKind::standard);
  std::puts(tenon::to_string(scaling.apply(dataset.x().rows(0, 2).view())).c_str());
}
