#include "tenon/data/equal_types.h"

#include <mutex>
#include <utility>

namespace tenon::data {
namespace {

bool type_fits(const TensorType& found, const TensorType& wanted, bool any_extents) {
  if (!any_extents) return found == wanted;
  return found.dtype == wanted.dtype && found.rank() == wanted.rank();
}

bool is_no_label(const TensorType& y) { return y == TensorType{DType::f32, {0}}; }

TensorType row_type(const Array& array) { return {array.dtype(), array.row_shape()}; }

TensorType label_type(const Dataset& dataset) {
  return dataset.has_y() ? row_type(dataset.y()) : TensorType{DType::f32, {0}};
}

// The types of the first sample of epoch 0 that can be made, found once for all passes when one is
// compared, so that neither workers nor the place where a pass goes on change them.
class FirstTypes {
 public:
  FirstTypes(Pipeline source, std::string help)
      : source_(std::move(source)), help_(std::move(help)) {}

  // What comes first in epoch 0: to look at it again may need a stream that can be read only once.
  void offer(const LazySample& lazy) {
    const std::lock_guard lock(mutex_);
    if (!is_found_ && !offered_) offered_ = lazy;
  }
  bool fit(const TensorType& x, const TensorType& y) {
    const NamedTypes* first = find();
    return first == nullptr || are_alike(x, y, *first);
  }
  [[noreturn]] void refuse(const TensorType& x, const TensorType& y,
                           const std::function<std::string()>& origin) {
    throw UserError(fmt::format("{}{}{}", origin ? origin() + ": " : "",
                                type_difference(x, y, *find()), help_));
  }

 private:
  // Null if no sample of epoch 0 can be made.
  const NamedTypes* find() {
    const std::lock_guard lock(mutex_);
    if (!is_found_ && offered_) first_ = types_of(*offered_);
    if (!is_found_ && !first_) first_ = first_that_can_be_made();
    is_found_ = true;
    offered_.reset();
    return first_ ? &*first_ : nullptr;
  }

  std::optional<NamedTypes> first_that_can_be_made() const {
    const Pass pass = source_.open(0);
    while (const std::optional<LazySample> lazy = pass())
      if (std::optional<NamedTypes> types = types_of(*lazy)) return types;
    return std::nullopt;
  }

  // None if it cannot be made; then it is named when its turn comes.
  static std::optional<NamedTypes> types_of(const LazySample& lazy) {
    std::string name = short_name(lazy.place, lazy.origin);
    if (const Dataset* rows = lazy.make.dataset().get())
      return NamedTypes{row_type(rows->x()), label_type(*rows), std::move(name)};
    try {
      if (const std::optional<Sample> sample = lazy.make())
        return NamedTypes{sample->x.type(), sample->y.type(), std::move(name)};
    } catch (const UserError&) {
    }
    return std::nullopt;
  }

  const Pipeline source_;
  const std::string help_;
  std::mutex mutex_;
  bool is_found_ = false;
  std::optional<LazySample> offered_;
  std::optional<NamedTypes> first_;
};

}  // namespace

bool are_alike(const TensorType& x, const TensorType& y, const NamedTypes& first,
               bool any_extents) {
  return type_fits(x, first.x, any_extents) && type_fits(y, first.y, any_extents);
}

std::string type_difference(const TensorType& x, const TensorType& y, const NamedTypes& first,
                            bool any_extents) {
  if (!type_fits(x, first.x, any_extents))
    return fmt::format("x is {}, but {} has {}", x, first.name, first.x);
  if (is_no_label(y)) return fmt::format("there is no y, but {} has {}", first.name, first.y);
  if (is_no_label(first.y)) return fmt::format("y is {}, but {} has none", y, first.name);
  return fmt::format("y is {}, but {} has {}", y, first.name, first.y);
}

std::string short_name(const SamplePlace& place, const std::function<std::string()>& origin) {
  return origin ? origin() : fmt::format("sample {} of epoch {}", place.index, place.epoch);
}

std::string full_name(const SamplePlace& place, const std::function<std::string()>& origin) {
  return fmt::format("sample {} of epoch {}{}", place.index, place.epoch,
                     origin ? ": " + origin() : "");
}

Pipeline Pipeline::equal_types(std::string help) const {
  const auto first = std::make_shared<FirstTypes>(*this, std::move(help));
  return Pipeline([source = *this, first](std::uint64_t epoch) -> Pass {
    return [pass = source.open(epoch), first, is_first = epoch == 0,
            known = std::shared_ptr<const Dataset>()]() mutable -> std::optional<LazySample> {
      std::optional<LazySample> lazy = pass();
      if (!lazy) return std::nullopt;
      if (std::exchange(is_first, false)) first->offer(*lazy);
      // Rows of one dataset are alike, and stay rows, which are gathered at once.
      if (const std::shared_ptr<const Dataset>& rows = lazy->make.dataset()) {
        if (rows != known && first->fit(row_type(rows->x()), label_type(*rows))) known = rows;
        if (rows == known) return lazy;
      }
      lazy->make = [first, make = std::move(lazy->make), origin = lazy->origin] {
        std::optional<Sample> sample = make();
        if (sample && !first->fit(sample->x.type(), sample->y.type()))
          first->refuse(sample->x.type(), sample->y.type(), origin);
        return sample;
      };
      return lazy;
    };
  });
}

}  // namespace tenon::data
