#include "tenon/data/text_masking.h"

#include <algorithm>

#include "tenon/base/error.h"
#include "tenon/base/threefry.h"

namespace tenon::data {
namespace {

// Draws for each token: whether it is predicted, what becomes of it, which one replaces it.
constexpr std::uint64_t kMaskDraws = 3;

double unit_draw(std::uint64_t key, std::uint64_t counter) {
  return static_cast<double>(threefry64(key, counter) >> 11) * 0x1p-53;
}

}  // namespace

std::function<Sample(Sample, const SamplePlace&)> mask_tokens(const MaskOptions& options) {
  constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;
  require(options.vocabulary_size >= 1 && options.vocabulary_size <= kMostTokens,
          "masking: a vocabulary of {} tokens; 1 to {} expected", options.vocabulary_size,
          kMostTokens);
  require(options.mask_id >= 0 && options.mask_id < options.vocabulary_size,
          "masking: the mask's id is {}; 0 to {} expected", options.mask_id,
          options.vocabulary_size - 1);
  const auto is_part = [](double value) { return value >= 0 && value <= 1; };
  require(is_part(options.fraction) && is_part(options.masked) && is_part(options.random),
          "masking: fractions {}, {} and {}; 0 to 1 expected", options.fraction, options.masked,
          options.random);
  require(options.masked + options.random <= 1,
          "masking: {} masked and {} random are more than all", options.masked, options.random);
  return [options](Sample sample, const SamplePlace& place) {
    require(is_integer(sample.x.dtype()), "masking: the sample is {}; integers expected",
            sample.x.type());
    const std::uint64_t key =
        threefry64(threefry64(options.seed, place.epoch), static_cast<std::uint64_t>(place.index));
    HostTensor x({DType::i32, sample.x.shape()}), y({DType::i32, sample.x.shape()});
    const auto tokens = x.as<std::int32_t>(), labels = y.as<std::int32_t>();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const double number = element_as_double(sample.x, static_cast<std::int64_t>(i));
      require(number >= 0 && number < static_cast<double>(options.vocabulary_size),
              "masking: token {} of the sample is {}; 0 to {} expected", i, number,
              options.vocabulary_size - 1);
      const auto token = static_cast<std::int64_t>(number);
      tokens[i] = static_cast<std::int32_t>(token);
      labels[i] = kNoClass;
      if (std::ranges::find(options.special_ids, token) != options.special_ids.end()) continue;
      if (unit_draw(key, kMaskDraws * i) >= options.fraction) continue;
      labels[i] = tokens[i];
      const double fate = unit_draw(key, kMaskDraws * i + 1);
      if (fate < options.masked) {
        tokens[i] = static_cast<std::int32_t>(options.mask_id);
      } else if (fate < options.masked + options.random) {
        const std::uint64_t bits = threefry64(key, kMaskDraws * i + 2) >> 32;
        const auto size = static_cast<std::uint64_t>(options.vocabulary_size);
        tokens[i] = static_cast<std::int32_t>(bits * size >> 32);
      }
    }
    return Sample{std::move(x), std::move(y)};
  };
}

}  // namespace tenon::data
