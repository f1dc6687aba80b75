#include "tenon/data/pipeline.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "tenon/base/threefry.h"
#include "tenon/data/epoch_order.h"
#include "tenon/data/pipeline_batches.h"

namespace tenon::data {

struct BadSamples::State {
  using Place = std::pair<std::uint64_t, std::int64_t>;  // epoch, index
  std::mutex mutex;
  std::int64_t count = 0;
  std::multimap<Place, std::string> messages;
};

BadSamples::BadSamples() : state_(std::make_shared<State>()) {}

std::int64_t BadSamples::count() const {
  const std::lock_guard lock(state_->mutex);
  return state_->count;
}

std::vector<std::string> BadSamples::messages() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> messages;
  for (const auto& [place, message] : state_->messages) messages.push_back(message);
  return messages;
}

void BadSamples::add(std::string message) const { add(std::move(message), {0, count()}); }

void BadSamples::add(std::string message, const SamplePlace& place) const {
  constexpr std::size_t kMostMessages = 100;
  message.resize(std::min(message.size(), message.find("\n  help: ")));
  const std::lock_guard lock(state_->mutex);
  ++state_->count;
  state_->messages.emplace(State::Place(place.epoch, place.index), std::move(message));
  if (state_->messages.size() > kMostMessages)
    state_->messages.erase(std::prev(state_->messages.end()));
}

namespace {

HostTensor row_of(const Array& array, std::int64_t index) {
  return copy_of({{array.dtype(), array.row_shape()}, array.rows(index, 1).data()});
}

// How samples are made and named by their index.
struct Maker {
  std::function<Sample(std::int64_t)> make;
  std::function<std::string(std::int64_t)> origin = {};
};
using SharedMaker = std::shared_ptr<const Maker>;

LazySample lazy_sample(const SharedMaker& maker, std::uint64_t epoch, std::int64_t index) {
  LazySample lazy{{epoch, index}, [maker, index] { return std::optional(maker->make(index)); }};
  if (maker->origin) lazy.origin = [maker, index] { return maker->origin(index); };
  return lazy;
}

// A row that is there cannot fail.
bool is_row(const LazySample& lazy) {
  const std::shared_ptr<const Dataset>& from = lazy.make.dataset();
  return from != nullptr && lazy.make.row() >= 0 && lazy.make.row() < from->size();
}

}  // namespace

std::optional<Sample> SampleMaker::operator()() const {
  if (dataset_ == nullptr) return function_();
  return Sample{row_of(dataset_->x(), row_),
                dataset_->has_y() ? row_of(dataset_->y(), row_) : HostTensor()};
}

std::optional<Sample> make_sample(const LazySample& lazy) {
  try {
    return lazy.make();
  } catch (const UserError& error) {
    throw UserError(
        fmt::format("sample {} of epoch {}: {}", lazy.place.index, lazy.place.epoch, error.what()));
  }
}

namespace {

// A sample of a pipeline has nowhere to keep its weight; to drop it would be silent.
std::shared_ptr<const Dataset> shared_without_weights(Dataset dataset) {
  require(
      !dataset.has_weights(),
      "dataset \"{}\" has sample weights, which a pipeline does not take; fit takes the dataset "
      "itself",
      dataset.name());
  return std::make_shared<const Dataset>(std::move(dataset));
}

}  // namespace

Pipeline Pipeline::from(Dataset dataset) {
  const auto shared = shared_without_weights(std::move(dataset));
  return Pipeline([shared](std::uint64_t epoch) -> Pass {
    return [shared, epoch, next = std::int64_t{0}]() mutable -> std::optional<LazySample> {
      if (next == shared->size()) return std::nullopt;
      const std::int64_t index = next++;
      return LazySample{{epoch, index}, {shared, index}};
    };
  });
}

Pipeline Pipeline::from(Dataset dataset,
                        std::function<std::vector<std::int64_t>(std::uint64_t)> order) {
  require(static_cast<bool>(order), "a pipeline's function is empty");
  const auto shared = shared_without_weights(std::move(dataset));
  return Pipeline([order = std::move(order), shared](std::uint64_t epoch) -> Pass {
    return [indices = order(epoch), shared, epoch,
            next = std::size_t{0}]() mutable -> std::optional<LazySample> {
      if (next == indices.size()) return std::nullopt;
      const std::int64_t index = indices[next++];
      return LazySample{{epoch, index}, {shared, index}};
    };
  });
}

Pipeline Pipeline::from(std::function<std::vector<std::int64_t>(std::uint64_t)> order,
                        std::function<Sample(std::int64_t)> make) {
  require(order && make, "a pipeline's function is empty");
  const SharedMaker shared = std::make_shared<const Maker>(Maker{std::move(make)});
  return Pipeline([order = std::move(order), shared](std::uint64_t epoch) -> Pass {
    return [indices = order(epoch), shared, epoch,
            next = std::size_t{0}]() mutable -> std::optional<LazySample> {
      if (next == indices.size()) return std::nullopt;
      return lazy_sample(shared, epoch, indices[next++]);
    };
  });
}

Pipeline Pipeline::from(std::int64_t size, std::function<Sample(std::int64_t)> make,
                        std::function<std::string(std::int64_t)> origin) {
  require(size >= 0, "a pipeline of {} samples", size);
  require(static_cast<bool>(make), "a pipeline's function is empty");
  const SharedMaker shared =
      std::make_shared<const Maker>(Maker{std::move(make), std::move(origin)});
  return Pipeline([size, shared](std::uint64_t epoch) -> Pass {
    return [size, shared, epoch, next = std::int64_t{0}]() mutable -> std::optional<LazySample> {
      if (next == size) return std::nullopt;
      return lazy_sample(shared, epoch, next++);
    };
  });
}

Pipeline Pipeline::from(std::function<Generator()> open) {
  require(static_cast<bool>(open), "a pipeline's function is empty");
  return Pipeline([open = std::move(open)](std::uint64_t epoch) -> Pass {
    return
        [generator = open(), epoch, next = std::int64_t{0}]() mutable -> std::optional<LazySample> {
          std::optional<Sample> sample = generator();
          if (!sample) return std::nullopt;
          return LazySample{{epoch, next++}, [sample = std::move(sample)] { return sample; }};
        };
  });
}

Pipeline Pipeline::map(std::function<Sample(Sample, const SamplePlace&)> function) const {
  require(static_cast<bool>(function), "map: the function is empty");
  using Function = std::function<Sample(Sample, const SamplePlace&)>;
  const auto shared = std::make_shared<const Function>(std::move(function));
  return Pipeline([source = *this, shared](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), shared]() -> std::optional<LazySample> {
      std::optional<LazySample> lazy = pass();
      if (!lazy) return std::nullopt;
      lazy->make = [shared, place = lazy->place, make = std::move(lazy->make)] {
        std::optional<Sample> sample = make();
        if (sample) sample = (*shared)(*std::move(sample), place);
        return sample;
      };
      return lazy;
    };
  });
}

Pipeline Pipeline::map(std::function<Sample(Sample)> function) const {
  require(static_cast<bool>(function), "map: the function is empty");
  return map([function = std::move(function)](Sample sample, const SamplePlace&) {
    return function(std::move(sample));
  });
}

Pipeline Pipeline::filter(std::function<bool(const Sample&)> keep) const {
  require(static_cast<bool>(keep), "filter: the function is empty");
  return Pipeline([source = *this, keep = std::move(keep)](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), keep]() -> std::optional<LazySample> {
      while (std::optional<LazySample> lazy = pass()) {
        std::optional<Sample> sample = make_sample(*lazy);
        if (sample && keep(*sample))
          return LazySample{lazy->place, [sample = std::move(sample)] { return sample; },
                            std::move(lazy->origin)};
      }
      return std::nullopt;
    };
  });
}

Pipeline Pipeline::skip_bad(BadSamples bad) const {
  return Pipeline([source = *this, bad = std::move(bad)](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), bad]() -> std::optional<LazySample> {
      std::optional<LazySample> lazy = pass();
      if (!lazy || is_row(*lazy)) return lazy;
      lazy->make = [bad, place = lazy->place,
                    make = std::move(lazy->make)]() -> std::optional<Sample> {
        try {
          return make();
        } catch (const UserError& error) {
          bad.add(error.what(), place);
          return std::nullopt;
        }
      };
      return lazy;
    };
  });
}

// In the order in which a fit of the same samples in memory takes them.
Pipeline Pipeline::shuffle_whole(std::uint64_t seed) const {
  return Pipeline([source = *this, seed](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), seed, epoch, held = std::vector<LazySample>(),
            order = std::vector<std::int64_t>(), next = std::size_t{0},
            ended = false]() mutable -> std::optional<LazySample> {
      while (!ended) {
        std::optional<LazySample> lazy = pass();
        ended = !lazy.has_value();
        if (lazy) held.push_back(*std::move(lazy));
        if (ended) order = epoch_order(static_cast<std::int64_t>(held.size()), seed, epoch, true);
      }
      if (next == order.size()) return std::nullopt;
      return std::move(held[static_cast<std::size_t>(order[next++])]);
    };
  });
}

Pipeline Pipeline::shuffle(std::uint64_t seed, std::int64_t window) const {
  require(window >= 0, "shuffle: a window of {} samples", window);
  if (window == 0) return shuffle_whole(seed);
  return Pipeline([source = *this, seed, window](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), draws = ThreefrySequence{.key = threefry64(seed, epoch)},
            window = static_cast<std::size_t>(window), held = std::vector<LazySample>(),
            ended = false]() mutable -> std::optional<LazySample> {
      while (!ended && held.size() < window) {
        std::optional<LazySample> lazy = pass();
        ended = !lazy.has_value();
        if (lazy) held.push_back(*std::move(lazy));
      }
      if (held.empty()) return std::nullopt;
      std::swap(held[static_cast<std::size_t>(draws.below(held.size()))], held.back());
      LazySample chosen = std::move(held.back());
      held.pop_back();
      return chosen;
    };
  });
}

Pipeline Pipeline::take(std::int64_t count) const {
  require(count >= 0, "take: {} samples", count);
  return Pipeline([source = *this, count](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), left = count]() mutable -> std::optional<LazySample> {
      if (left == 0) return std::nullopt;
      --left;
      return pass();
    };
  });
}

Pipeline Pipeline::skip(std::int64_t count) const {
  require(count >= 0, "skip: {} samples", count);
  return Pipeline([source = *this, count](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), left = count]() mutable -> std::optional<LazySample> {
      for (; left > 0; --left)
        if (!pass()) return std::nullopt;
      return pass();
    };
  });
}

Pipeline Pipeline::shard(std::int64_t number, std::int64_t of) const {
  require(number >= 0 && number < of, "shard: number {} of {}; 0 to {} expected", number, of,
          of - 1);
  return Pipeline([source = *this, number, of](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), before = number, of]() mutable -> std::optional<LazySample> {
      for (; before > 0; --before)
        if (!pass()) return std::nullopt;
      before = of - 1;
      return pass();
    };
  });
}

Pipeline Pipeline::repeat(std::int64_t times) const {
  require(times >= 0, "repeat: {} times", times);
  return Pipeline([source = *this, times](std::uint64_t epoch) -> Pass {
    return [source, times, pass = source.open(epoch), first = epoch, epoch,
            any = false]() mutable -> std::optional<LazySample> {
      for (;;) {
        std::optional<LazySample> lazy = pass();
        if (lazy) {
          any = true;
          return lazy;
        }
        // An empty source repeated without end would never come back.
        if (times == 0 && !any) return std::nullopt;
        if (times != 0 && epoch - first + 1 >= static_cast<std::uint64_t>(times))
          return std::nullopt;
        any = false;
        pass = source.open(++epoch);
      }
    };
  });
}

Pipeline Pipeline::interleave(std::vector<Pipeline> parts) {
  return Pipeline([parts = std::move(parts)](std::uint64_t epoch) -> Pass {
    std::vector<Pass> passes;
    for (const Pipeline& part : parts) passes.push_back(part.open(epoch));
    return
        [passes = std::move(passes), turn = std::size_t{0}]() mutable -> std::optional<LazySample> {
          while (!passes.empty()) {
            turn %= passes.size();
            if (std::optional<LazySample> lazy = passes[turn]()) {
              ++turn;
              return lazy;
            }
            passes.erase(passes.begin() + static_cast<std::ptrdiff_t>(turn));
          }
          return std::nullopt;
        };
  });
}

Pipeline Pipeline::zip(Pipeline first, Pipeline second,
                       std::function<Sample(Sample, Sample)> join) {
  require(static_cast<bool>(join), "zip: the function is empty");
  return Pipeline([first = std::move(first), second = std::move(second),
                   join = std::move(join)](std::uint64_t epoch) -> Pass {
    return [a = first.open(epoch), b = second.open(epoch), join]() -> std::optional<LazySample> {
      std::optional<LazySample> left = a();
      if (!left) return std::nullopt;
      std::optional<LazySample> right = b();
      if (!right) return std::nullopt;
      left->make = [join, make_left = std::move(left->make), make_right = std::move(right->make)] {
        std::optional<Sample> x = make_left();
        std::optional<Sample> y = make_right();
        std::optional<Sample> both;
        if (x && y) both = join(*std::move(x), *std::move(y));
        return both;
      };
      return left;
    };
  });
}

Generator Pipeline::samples(std::uint64_t epoch) const {
  return [pass = open(epoch)]() -> std::optional<Sample> {
    while (const std::optional<LazySample> lazy = pass())
      if (std::optional<Sample> sample = make_sample(*lazy)) return sample;
    return std::nullopt;
  };
}

PipelineBatches Pipeline::batches(std::int64_t batch_size,
                                  const PipelineBatchOptions& options) const {
  return {*this, batch_size, options};
}

}  // namespace tenon::data
