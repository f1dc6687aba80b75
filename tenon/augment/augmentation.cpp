#include "tenon/augment/augmentation.h"

#include <algorithm>
#include <cmath>

#include "tenon/augment/sample_random.h"
#include "tenon/base/threefry.h"
#include "tenon/base/variant.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/shape.h"

namespace tenon::augment {
namespace {

std::string description(const Bounds& bounds) {
  if (bounds.low == kAnyNumber.low) return "finite";
  if (bounds.high == kNotNegative.high) return fmt::format("finite and {} or more", bounds.low);
  return fmt::format("in {} to {}", bounds.low, bounds.high);
}

// UserError for the first number that its bounds do not allow.
class BoundsCheck final : public FieldVisitor {
 public:
  explicit BoundsCheck(std::string_view owner) : owner_(owner) {}
  void operator()(std::string_view name, double& value, Bounds bounds) override {
    require(std::isfinite(value) && value >= bounds.low && value <= bounds.high,
            "{}: {} must be {}, got {}", owner_, name, description(bounds), value);
  }
  void operator()(std::string_view name, std::int64_t& value, Bounds bounds) override {
    require(static_cast<double>(value) >= bounds.low && static_cast<double>(value) <= bounds.high,
            "{}: {} must be {}, got {}", owner_, name, description(bounds), value);
  }
  void operator()(std::string_view, Border&) override {}

 private:
  std::string_view owner_;
};

void require_order(std::string_view kind, std::string_view low_name, double low,
                   std::string_view high_name, double high) {
  require(low <= high, "{}: {} is {}, above {}, {}", kind, low_name, low, high_name, high);
}

// What the bounds of single fields cannot say.
void require_consistent(const Zoom& zoom) {
  require_order(Zoom::kKind, "least", zoom.least, "most", zoom.most);
}
void require_consistent(const Blur& blur) {
  require_order(Blur::kKind, "least", blur.least, "most", blur.most);
  require(blur.size % 2 == 1, "blur: size must be odd, got {}", blur.size);
}
void require_consistent(const ResizedCrop& crop) {
  require_order(ResizedCrop::kKind, "least_area", crop.least_area, "most_area", crop.most_area);
  require_order(ResizedCrop::kKind, "least_ratio", crop.least_ratio, "most_ratio", crop.most_ratio);
}
template <class C>
void require_consistent(const C&) {}

void require_valid(const std::vector<Change>& changes) {
  for (Change change : changes) {
    BoundsCheck check(kind_of(change));
    visit_fields(change, check);
    std::visit([](const auto& each) { require_consistent(each); }, change);
  }
}

}  // namespace

std::string_view kind_of(const Change& change) {
  return std::visit([]<class C>(const C&) { return C::kKind; }, change);
}

void visit_fields(Change& change, FieldVisitor& visit) {
  std::visit([&](auto& each) { each.fields(visit); }, change);
}

Augmentation::Augmentation(std::initializer_list<Change> list) : changes(list) {
  require_valid(changes);
}

Augmentation::Augmentation(std::vector<Change> list) : changes(std::move(list)) {
  require_valid(changes);
}

bool Augmentation::mixes() const {
  return std::ranges::any_of(changes, [](const Change& change) {
    return std::holds_alternative<Mixup>(change) || std::holds_alternative<CutMix>(change);
  });
}

Shape output_shape(const Augmentation& augmentation, const Shape& sample) {
  require(sample.size() == 2 || sample.size() == 3,
          "augmentation: samples must be [height, width, channels] or [height, width], got {}",
          to_string(sample));
  require_valid(augmentation.changes);  // fields may have been set since
  Shape shape = sample;
  const std::int64_t channels = shape.size() == 3 ? shape[2] : 1;
  require(shape[0] >= 1 && shape[1] >= 1 && channels >= 1,
          "augmentation: samples {} have no pixels", to_string(sample));
  const auto has_color = [&](std::string_view kind) {
    require(channels == 1 || channels == 3, "{}: images must have 1 or 3 channels, got {}", kind,
            channels);
  };
  const auto sized = [&](std::int64_t height, std::int64_t width) {
    if (height > 0) shape[0] = height;
    if (width > 0) shape[1] = width;
  };
  for (const Change& change : augmentation.changes)
    std::visit(cases{
                   [&](const Crop& crop) {
                     const std::int64_t height = shape[0] + 2 * crop.padding;
                     const std::int64_t width = shape[1] + 2 * crop.padding;
                     require(crop.height <= height && crop.width <= width,
                             "crop: {} x {} pixels do not fit into images of {} x {} padded by {}",
                             crop.height > 0 ? crop.height : shape[0],
                             crop.width > 0 ? crop.width : shape[1], shape[0], shape[1],
                             crop.padding);
                     sized(crop.height, crop.width);
                   },
                   [&](const ResizedCrop& crop) { sized(crop.height, crop.width); },
                   [&](const Blur& blur) {
                     const std::int64_t least = blur.size / 2 + 1;
                     require(shape[0] >= least && shape[1] >= least,
                             "blur: size {} takes images of {} x {} pixels or more, got {} x {}",
                             blur.size, least, least, shape[0], shape[1]);
                   },
                   [&](const Contrast&) { has_color(Contrast::kKind); },
                   [&](const Saturation&) { has_color(Saturation::kKind); },
                   [&](const Hue&) { has_color(Hue::kKind); },
                   [](const auto&) {},
               },
               change);
  return shape;
}

// random::fold_in, row by row.
Tensor sample_keys(const Tensor& epoch_key, const Tensor& indices) {
  require(epoch_key.type() == TensorType{DType::u32, {2}},
          "sample_keys: a key is u32[2] (see random::key), got {}", epoch_key.description());
  require(indices.rank() == 1 && is_integer(indices.dtype()),
          "sample_keys: expected indices of samples, integers [batch], got {}",
          indices.description());
  const Tensor salted = bits_of_each(reshape(epoch_key, {1, 2}), 2);
  const Tensor numbers = reshape(cast(indices, DType::u32), {-1, 1});
  const Tensor first = slice(salted, 1, 0, 1) + numbers;
  const Tensor second = broadcast_to(slice(salted, 1, 1), first.shape());
  return bits_of_each(concatenate(std::array{first, second}, 1), 2);
}

std::array<std::uint32_t, 2> sample_key(std::uint64_t seed, std::uint64_t epoch,
                                        std::int64_t index) {
  std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(seed >> 32),
                                      static_cast<std::uint32_t>(seed)};
  for (const std::uint32_t number :
       {static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(index)}) {
    const std::uint32_t first = random_word(key[0], key[1], 0) + number;
    const std::uint32_t second = random_word(key[0], key[1], 1);
    key = {random_word(first, second, 0), random_word(first, second, 1)};
  }
  return key;
}

}  // namespace tenon::augment
