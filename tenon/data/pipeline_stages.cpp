// Stages that choose among parts, and the cache in memory.
#include <cmath>
#include <mutex>
#include <utility>

#include "tenon/base/threefry.h"
#include "tenon/data/epoch_order.h"
#include "tenon/data/pipeline.h"
#include "tenon/data/selection.h"

namespace tenon::data {

Pipeline Pipeline::weighted(Dataset dataset, std::vector<double> weights, std::int64_t count,
                            std::uint64_t seed) {
  require(std::cmp_equal(weights.size(), dataset.size()),
          "dataset \"{}\": {} weights for {} samples", dataset.name(), weights.size(),
          dataset.size());
  weighted_draws(weights, 0, seed, 0);  // checks the weights now
  require(count >= 0, "weighted draws: {} of them", count);
  return from(std::move(dataset), [weights = std::move(weights), count, seed](std::uint64_t epoch) {
    return weighted_draws(weights, count, seed, epoch);
  });
}

Pipeline Pipeline::mix(std::vector<Pipeline> parts, std::vector<double> weights,
                       std::uint64_t seed) {
  require(parts.size() == weights.size(), "mix: {} weights for {} pipelines", weights.size(),
          parts.size());
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    require(weights[i] > 0 && std::isfinite(weights[i]),
            "mix: weight number {} is {}; a finite number above 0 is needed", i, weights[i]);
    sum += weights[i];
  }
  require(std::isfinite(sum), "mix: the weights' sum is {}", sum);
  return Pipeline(
      [parts = std::move(parts), weights = std::move(weights), seed](std::uint64_t epoch) -> Pass {
        std::vector<Pass> passes;
        for (const Pipeline& part : parts) passes.push_back(part.open(epoch));
        return [passes = std::move(passes), left = weights,
                draws = ThreefrySequence{
                    .key = threefry64(seed, epoch)}]() mutable -> std::optional<LazySample> {
          while (!passes.empty()) {
            double sum_left = 0;
            for (const double weight : left) sum_left += weight;
            // 53 random bits: uniform in [0, 1).
            double place = static_cast<double>(draws.next() >> 11) * 0x1p-53 * sum_left;
            std::size_t chosen = 0;
            while (chosen + 1 < left.size() && place >= left[chosen]) place -= left[chosen++];
            if (std::optional<LazySample> lazy = passes[chosen]()) return lazy;
            passes.erase(passes.begin() + static_cast<std::ptrdiff_t>(chosen));
            left.erase(left.begin() + static_cast<std::ptrdiff_t>(chosen));
          }
          return std::nullopt;
        };
      });
}

Pipeline Pipeline::parts(std::int64_t count, std::function<Pipeline(std::int64_t)> part,
                         const PartOptions& options) {
  constexpr std::int64_t kMostAtOnce = 1024;
  require(count >= 0, "parts: {} of them", count);
  require(static_cast<bool>(part), "parts: the function is empty");
  require(options.at_once >= 1 && options.at_once <= kMostAtOnce,
          "parts: {} at once; 1 to {} are possible", options.at_once, kMostAtOnce);
  return Pipeline([count, part = std::move(part), options](std::uint64_t epoch) -> Pass {
    return [order = epoch_order(count, options.seed, epoch, options.shuffle), part, epoch,
            open = std::vector<Pass>(), at_once = static_cast<std::size_t>(options.at_once),
            opened = std::size_t{0}, turn = std::size_t{0},
            given = std::int64_t{0}]() mutable -> std::optional<LazySample> {
      for (;;) {
        while (open.size() < at_once && opened < order.size())
          open.push_back(part(order[opened++]).open(epoch));
        if (open.empty()) return std::nullopt;
        turn %= open.size();
        if (std::optional<LazySample> lazy = open[turn]()) {
          ++turn;
          lazy->place = {epoch, given++};
          return lazy;
        }
        // The next part takes the place of the one that has ended.
        if (opened < order.size())
          open[turn] = part(order[opened++]).open(epoch);
        else
          open.erase(open.begin() + static_cast<std::ptrdiff_t>(turn));
      }
    };
  });
}

namespace {

// What a cache keeps of one sample of the pass.
struct CachedSample {
  std::mutex mutex;
  SamplePlace place;
  SampleMaker make;
  std::function<std::string()> origin;
  bool made = false;
  std::optional<Sample> sample;
};

struct MemoryCache {
  explicit MemoryCache(Pipeline from, std::uint64_t most)
      : source(std::move(from)), max_bytes(most) {}

  // Sample number `index` of the pass; null after the last.
  std::shared_ptr<CachedSample> at(std::size_t index) {
    const std::lock_guard lock(mutex);
    if (!pass) pass = source.open(0);
    while (samples.size() <= index && !ended) {
      if (error) std::rethrow_exception(error);
      std::optional<LazySample> lazy;
      try {
        lazy = pass();
      } catch (...) {
        error = std::current_exception();
        throw;
      }
      ended = !lazy.has_value();
      if (ended) {
        pass = [] { return std::nullopt; };  // the source is not needed any more
        break;
      }
      auto one = std::make_shared<CachedSample>();
      one->place = lazy->place;
      one->make = std::move(lazy->make);
      one->origin = std::move(lazy->origin);
      samples.push_back(std::move(one));
    }
    return index < samples.size() ? samples[index] : nullptr;
  }

  std::optional<Sample> get(CachedSample& one) {
    const std::lock_guard lock(one.mutex);
    if (!one.made) {
      std::optional<Sample> sample = one.make();
      if (sample) keep_count(sample->x.bytes().size() + sample->y.bytes().size());
      one.sample = std::move(sample);
      one.made = true;
      one.make = {};
    }
    return one.sample;
  }

  void keep_count(std::uint64_t bytes) {
    const std::lock_guard lock(mutex);
    require(bytes <= max_bytes - kept_bytes,
            "cache: the samples take more than the limit of {} bytes; raise it, or cache in a file",
            max_bytes);
    kept_bytes += bytes;
  }

  const Pipeline source;
  const std::uint64_t max_bytes;
  std::mutex mutex;
  Pass pass;
  bool ended = false;
  std::exception_ptr error;
  std::vector<std::shared_ptr<CachedSample>> samples;
  std::uint64_t kept_bytes = 0;
};

}  // namespace

Pipeline Pipeline::cache(std::uint64_t max_bytes) const {
  const auto cache = std::make_shared<MemoryCache>(*this, max_bytes);
  return Pipeline([cache](std::uint64_t epoch) -> Pass {
    return [cache, epoch, next = std::size_t{0}]() mutable -> std::optional<LazySample> {
      std::shared_ptr<CachedSample> one = cache->at(next);
      if (one == nullptr) return std::nullopt;
      ++next;
      const SamplePlace place{epoch, one->place.index};
      std::function<std::string()> origin = one->origin;
      return LazySample{place, [cache, one = std::move(one)] { return cache->get(*one); },
                        std::move(origin)};
    };
  });
}

}  // namespace tenon::data
