#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "tenon/augment/augmentation.h"
#include "tenon/augment/color.h"
#include "tenon/augment/geometry.h"
#include "tenon/augment/mixing.h"
#include "tenon/augment/patches.h"
#include "tenon/augment/sample_random.h"
#include "tenon/base/variant.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/indexing.h"
#include "tenon/tensor/random.h"
#include "tenon/tensor/reduce.h"
#include "tenon/tensor/shape.h"

namespace tenon::augment {
namespace {

constexpr std::int64_t kBoxTries = 10;

// Words of a sample's stream that a change draws; a change of probability 0 leaves its words out,
// so that the changes after it stay what they were.
std::int64_t word_count(const Change& change) {
  return std::visit(cases{
                        [](const Flip&) { return 1; },
                        [](const FlipVertical&) { return 1; },
                        [](const Rotate&) { return 2; },
                        [](const Crop&) { return 3; },
                        [](const ResizedCrop&) { return 1 + 2 * static_cast<int>(kBoxTries) + 2; },
                        [](const Translate&) { return 3; },
                        [](const Zoom&) { return 2; },
                        [](const Shear&) { return 2; },
                        [](const Brightness&) { return 2; },
                        [](const Contrast&) { return 2; },
                        [](const Saturation&) { return 2; },
                        [](const Hue&) { return 2; },
                        [](const Noise&) { return 3; },
                        [](const Blur&) { return 2; },
                        [](const Cutout&) { return 3; },
                        [](const Mixup&) { return 0; },
                        [](const CutMix&) { return 0; },
                    },
                    change);
}

double probability_of(const Change& change) {
  return std::visit([](const auto& each) { return each.probability; }, change);
}

// The largest box in the middle of height x width whose ratio is allowed.
struct MiddleBox {
  double height, width;
};
MiddleBox middle_box(const ResizedCrop& crop, double height, double width) {
  const double ratio = width / height;
  if (ratio < crop.least_ratio)
    return {std::clamp(std::nearbyint(width / crop.least_ratio), 1.0, height), width};
  if (ratio > crop.most_ratio)
    return {height, std::clamp(std::nearbyint(height * crop.most_ratio), 1.0, width)};
  return {height, width};
}

// Makes the changes one after the other; neighbouring moves become one map, sampled once.
class Changer {
 public:
  Changer(const Tensor& images, const Tensor& targets, const Tensor& keys, const Tensor& batch_key,
          const PixelRange& range, std::int64_t words)
      : images_(images), targets_(targets), range_(range), batch_key_(batch_key) {
    sampling_.height = images.extent(1);
    sampling_.width = images.extent(2);
    sampling_.border = Border::edge;
    if (words > 0) draws_.emplace(keys, words);
  }

  void make(const Change& change) {
    ++changes_;
    if (probability_of(change) > 0 || resizes(change))
      std::visit([&](const auto& each) { make_one(each); }, change);
    else
      for (std::int64_t i = word_count(change); i > 0; --i) draws_->uniform();
  }

  Augmented finish() {
    sample_now();
    return {images_, targets_};
  }

 private:
  // Whether images get another size, with any probability.
  bool resizes(const Change& change) const {
    const auto is_other = [&](std::int64_t rows, std::int64_t columns) {
      return (rows > 0 && rows != height()) || (columns > 0 && columns != width());
    };
    return std::visit(
        cases{[&](const Crop& crop) { return is_other(crop.height, crop.width); },
              [&](const ResizedCrop& crop) { return is_other(crop.height, crop.width); },
              [](const auto&) { return false; }},
        change);
  }
  // Whether a sample is changed: a bool [B], or nothing if all are.
  std::optional<Tensor> drawn(double probability) {
    const Tensor number = draws_->uniform();
    if (probability >= 1) return std::nullopt;
    return number < static_cast<float>(probability);
  }
  // A number of each sample, or what leaves it as it is.
  static Tensor chosen(const std::optional<Tensor>& drawn, const Tensor& number,
                       const Tensor& otherwise) {
    return drawn ? where(*drawn, number, otherwise) : number;
  }
  void change_images(const std::optional<Tensor>& drawn, const Tensor& changed) {
    images_ = drawn ? where(reshape(*drawn, {-1, 1, 1, 1}), changed, images_) : changed;
  }

  void add_map(const AffineMap& map, bool is_whole_pixels) {
    map_ = map_ ? composed(*map_, map) : map;
    sampling_.is_whole_pixels = is_whole_pixels && (map_count_ == 0 || sampling_.is_whole_pixels);
    ++map_count_;
  }
  // Moves with another border than those before are sampled apart.
  void use_border(Border border, double fill) {
    if (border != Border::fill) fill = 0;
    const double value = range_.black + fill * (range_.white - range_.black);
    if (has_border_ && (border != sampling_.border || value != sampling_.fill)) sample_now();
    has_border_ = true;
    sampling_.border = border;
    sampling_.fill = value;
  }
  void sample_now() {
    if (map_) images_ = sampled(images_, *map_, sampling_);
    map_.reset();
    map_count_ = 0;
    has_border_ = false;
    sampling_.border = Border::edge;  // flips alone meet none
  }
  std::int64_t height() const { return sampling_.height; }
  std::int64_t width() const { return sampling_.width; }

  void make_one(const Flip& flip) {
    const Tensor flipped =
        cast(draws_->uniform() < static_cast<float>(flip.probability), DType::f32);
    add_map(flip_map(flipped, width()), true);
  }
  void make_one(const FlipVertical& flip) {
    const Tensor flipped =
        cast(draws_->uniform() < static_cast<float>(flip.probability), DType::f32);
    add_map(flip_vertical_map(flipped, height()), true);
  }
  void make_one(const Rotate& rotate) {
    use_border(rotate.border, rotate.fill);
    const double most = rotate.degrees * std::numbers::pi / 180;
    const auto is_drawn = drawn(rotate.probability);
    add_map(rotation_map(chosen(is_drawn, draws_->uniform(-most, most), 0.0f), height(), width()),
            false);
  }
  void make_one(const Crop& crop) {
    use_border(crop.border, crop.fill);
    const std::int64_t rows = crop.height > 0 ? crop.height : height();
    const std::int64_t columns = crop.width > 0 ? crop.width : width();
    const auto is_drawn = drawn(crop.probability);
    const auto offset = [&](std::int64_t extent, std::int64_t size) {
      const std::int64_t most = extent + 2 * crop.padding - size, middle = most / 2;
      const Tensor place =
          chosen(is_drawn, draws_->below(static_cast<float>(most + 1)), static_cast<float>(middle));
      return place - static_cast<float>(crop.padding);
    };
    const Tensor top = offset(height(), rows), left = offset(width(), columns);
    add_map(translation_map(-top, -left), true);
    sampling_.height = rows;
    sampling_.width = columns;
  }
  void make_one(const ResizedCrop& crop) {
    use_border(Border::edge, 0);
    const std::int64_t rows = crop.height > 0 ? crop.height : height();
    const std::int64_t columns = crop.width > 0 ? crop.width : width();
    const auto is_drawn = drawn(crop.probability);
    const Box box = random_box(crop);
    const auto h = static_cast<float>(height()), w = static_cast<float>(width());
    add_map(box_map({chosen(is_drawn, box.top, 0.0f), chosen(is_drawn, box.left, 0.0f),
                     chosen(is_drawn, box.height, h), chosen(is_drawn, box.width, w)},
                    rows, columns),
            false);
    sampling_.height = rows;
    sampling_.width = columns;
  }
  Box random_box(const ResizedCrop& crop) {
    const auto h = static_cast<double>(height()), w = static_cast<double>(width());
    const auto between = [&](double low, double high) {
      return draws_->uniforms(kBoxTries) * static_cast<float>(high - low) + static_cast<float>(low);
    };
    const Tensor area = between(crop.least_area * h * w, crop.most_area * h * w);
    const Tensor ratio = exp(between(std::log(crop.least_ratio), std::log(crop.most_ratio)));
    const Tensor widths = round(sqrt(area * ratio)), heights = round(sqrt(area / ratio));
    const Tensor fits = logical_and(logical_and(widths >= 1.0f, widths <= static_cast<float>(w)),
                                    logical_and(heights >= 1.0f, heights <= static_cast<float>(h)));
    const Tensor first = argmax(cast(fits, DType::i32), 1, true), any_fits = any(fits, {1});
    const MiddleBox middle = middle_box(crop, h, w);
    const auto of_first = [&](const Tensor& extents, double otherwise) {
      return where(any_fits, squeeze(take_along_axis(extents, first, 1), {1}),
                   static_cast<float>(otherwise));
    };
    Box box;
    box.height = of_first(heights, middle.height);
    box.width = of_first(widths, middle.width);
    const Tensor rows_left = static_cast<float>(h) - box.height;
    const Tensor columns_left = static_cast<float>(w) - box.width;
    box.top = where(any_fits, draws_->below(rows_left + 1.0f), floor(rows_left / 2.0f));
    box.left = where(any_fits, draws_->below(columns_left + 1.0f), floor(columns_left / 2.0f));
    return box;
  }
  void make_one(const Translate& translate) {
    use_border(translate.border, translate.fill);
    const auto is_drawn = drawn(translate.probability);
    const auto offset = [&](double part, std::int64_t extent) {
      const double most = part * static_cast<double>(extent);
      return chosen(is_drawn, draws_->uniform(-most, most), 0.0f);
    };
    const Tensor down = offset(translate.height, height());
    const Tensor right = offset(translate.width, width());
    add_map(translation_map(down, right), false);
  }
  void make_one(const Zoom& zoom) {
    use_border(zoom.border, zoom.fill);
    const auto is_drawn = drawn(zoom.probability);
    const Tensor factor = chosen(is_drawn, draws_->uniform(zoom.least, zoom.most), 1.0f);
    add_map(zoom_map(factor, height(), width()), false);
  }
  void make_one(const Shear& shear) {
    use_border(shear.border, shear.fill);
    const double most = shear.degrees * std::numbers::pi / 180;
    const auto is_drawn = drawn(shear.probability);
    const Tensor angle = chosen(is_drawn, draws_->uniform(-most, most), 0.0f);
    add_map(shear_map(tan(angle), height(), width()), false);
  }

  Tensor color_factor(double amount) {
    return draws_->uniform(std::max(0.0, 1 - amount), 1 + amount);
  }
  bool is_gray() const { return images_.extent(3) == 1; }
  void make_one(const Brightness& brightness) {
    sample_now();
    const auto is_drawn = drawn(brightness.probability);
    change_images(is_drawn, with_brightness(images_, color_factor(brightness.amount), range_));
  }
  void make_one(const Contrast& contrast) {
    sample_now();
    const auto is_drawn = drawn(contrast.probability);
    change_images(is_drawn, with_contrast(images_, color_factor(contrast.amount), range_));
  }
  void make_one(const Saturation& saturation) {
    const auto is_drawn = drawn(saturation.probability);
    const Tensor factor = color_factor(saturation.amount);
    if (is_gray()) return;
    sample_now();
    change_images(is_drawn, with_saturation(images_, factor, range_));
  }
  void make_one(const Hue& hue) {
    const auto is_drawn = drawn(hue.probability);
    const Tensor turn = draws_->uniform(-hue.amount, hue.amount);
    if (is_gray()) return;
    sample_now();
    change_images(is_drawn, with_hue(images_, turn, range_));
  }
  void make_one(const Noise& noise) {
    sample_now();
    const auto is_drawn = drawn(noise.probability);
    change_images(is_drawn, with_noise(images_, draws_->key(), noise.deviation, range_));
  }
  void make_one(const Blur& blur) {
    sample_now();
    const auto is_drawn = drawn(blur.probability);
    change_images(is_drawn, with_blur(images_, draws_->uniform(blur.least, blur.most), blur.size));
  }
  void make_one(const Cutout& cutout) {
    sample_now();
    const auto is_drawn = drawn(cutout.probability);
    const Tensor row = draws_->below(static_cast<float>(height()));
    const Tensor column = draws_->below(static_cast<float>(width()));
    const double value = range_.black + cutout.fill * (range_.white - range_.black);
    change_images(is_drawn, with_square(images_, row, column, cutout.size, value));
  }

  // The keys of a mixture: of whether, of the share, of the place.
  std::vector<Tensor> mixture_keys() const {
    return random::split_key(random::fold_in(batch_key_, changes_), 4);
  }
  void mix(const std::vector<Tensor>& keys, double probability, const Augmented& mixed) {
    if (probability >= 1) {
      images_ = mixed.images;
      targets_ = mixed.targets;
      return;
    }
    const Tensor is_drawn = random::bernoulli(keys[0], probability, {});
    images_ = where(is_drawn, mixed.images, images_);
    targets_ = where(is_drawn, mixed.targets, targets_);
  }
  void make_one(const Mixup& mixup) {
    sample_now();
    const std::vector<Tensor> keys = mixture_keys();
    mix(keys, mixup.probability, mixed_up(images_, targets_, beta_share(keys[1], mixup.alpha)));
  }
  void make_one(const CutMix& cutmix) {
    sample_now();
    const std::vector<Tensor> keys = mixture_keys();
    const auto place = [](const Tensor& key, std::int64_t extent) {
      return cast(random::randint(key, {}, 0, extent), DType::f32);
    };
    mix(keys, cutmix.probability,
        cut_and_mixed(images_, targets_, beta_share(keys[1], cutmix.alpha),
                      place(keys[2], height()), place(keys[3], width())));
  }

  Tensor images_, targets_;
  PixelRange range_;
  Tensor batch_key_;
  std::optional<Draws> draws_;
  std::optional<AffineMap> map_;
  Sampling sampling_;
  int map_count_ = 0;
  bool has_border_ = false;
  std::uint32_t changes_ = 0;
};

Augmented changed(const Augmentation& augmentation, const Tensor& images, const Tensor& targets,
                  const Tensor& keys, const Tensor& batch_key, PixelRange range) {
  require(images.rank() == 3 || images.rank() == 4,
          "augmentation: images must be [batch, height, width, channels] or [batch, height, "
          "width], got {}",
          images.description());
  const bool is_bytes = images.dtype() == DType::u8;
  require(is_bytes || is_float(images.dtype()), "augmentation: images must be floats or u8, got {}",
          images.description());
  require(keys.type() == TensorType{DType::u32, {images.extent(0), 2}},
          "augmentation: expected keys u32[{},2], one for each image (see sample_keys), got {}",
          images.extent(0), keys.description());
  if (is_bytes) range = {0, 255};
  require(std::isfinite(range.black) && std::isfinite(range.white) && range.black < range.white,
          "augmentation: black {} must be below white {}, both finite", range.black, range.white);
  Shape shape = output_shape(augmentation, {images.shape().begin() + 1, images.shape().end()});
  shape.insert(shape.begin(), images.extent(0));
  const DType result = is_bytes ? DType::f32 : images.dtype();
  if (augmentation.is_empty()) return {cast(images, result), targets};
  const DType wide = images.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const Tensor channels = images.rank() == 4 ? images : expand_dims(images, 3);
  std::int64_t words = 0;
  for (const Change& change : augmentation.changes) words += word_count(change);
  Changer changer(cast(channels, wide), targets, keys, batch_key, range, words);
  for (const Change& change : augmentation.changes) changer.make(change);
  Augmented done = changer.finish();
  done.images = reshape(cast(done.images, result), shape);
  return done;
}

}  // namespace

Tensor apply(const Augmentation& augmentation, const Tensor& images, const Tensor& keys,
             const PixelRange& range) {
  for (const Change& change : augmentation.changes)
    require(!std::holds_alternative<Mixup>(change) && !std::holds_alternative<CutMix>(change),
            "augmentation: {} mixes the samples of a batch, and so needs their targets",
            kind_of(change));
  return changed(augmentation, images, {}, keys, {}, range).images;
}

Augmented apply(const Augmentation& augmentation, const Tensor& images, const Tensor& targets,
                const Tensor& keys, const Tensor& batch_key, const PixelRange& range) {
  require(targets.rank() == 2 && is_float(targets.dtype()) && targets.extent(0) == images.extent(0),
          "augmentation: targets must be floats [{}, classes] (see one_hot), got {}",
          images.extent(0), targets.description());
  require(batch_key.type() == TensorType{DType::u32, {2}},
          "augmentation: the batch's key must be u32[2] (see random::key), got {}",
          batch_key.description());
  return changed(augmentation, images, targets, keys, batch_key, range);
}

}  // namespace tenon::augment
