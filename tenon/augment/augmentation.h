// Augmentation: random changes of images in training, as functions of tensors.
#pragma once
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/augment/changes.h"
#include "tenon/tensor/tensor.h"

namespace tenon::augment {

// What black and white are in the images; the range that colours are clipped to.
struct PixelRange {
  double black = 0;
  double white = 1;
  bool operator==(const PixelRange&) const = default;
};

// A value: changes made one after the other. Augmentation{Flip{}, Crop{.padding = 4}}.
struct Augmentation {
  std::vector<Change> changes{};

  Augmentation() = default;
  // UserError "rotate: degrees must be in 0 to 180, got 400".
  Augmentation(std::initializer_list<Change> list);
  explicit Augmentation(std::vector<Change> list);

  bool is_empty() const { return changes.empty(); }
  // Whether samples of a batch are mixed (Mixup, CutMix), so that targets must be one-hot.
  bool mixes() const;
  bool operator==(const Augmentation&) const = default;
};

// "flip,crop:padding=4,rotate:degrees=10:border=reflect": what text_of gives. UserError listing the
// known names, options or words, and for numbers out of their bounds.
Augmentation parse(std::string_view text);
// Every field in which a change differs from its default; parse gives the same value again.
std::string text_of(const Augmentation& augmentation);
// The names of all changes, in the order of changes.h.
std::vector<std::string> change_names();

// Keys of samples, u32[B, 2], from the key of an epoch and the samples' indices in the dataset,
// integers [B]: row i is random::fold_in(key, indices[i]), which takes the low 32 bits.
//   sample_keys(random::fold_in(random::key(seed), epoch), indices)
// An augmented sample depends on its key alone, so it repeats exactly for (seed, epoch, index).
Tensor sample_keys(const Tensor& epoch_key, const Tensor& indices);
// The same for one sample, on the host.
std::array<std::uint32_t, 2> sample_key(std::uint64_t seed, std::uint64_t epoch,
                                        std::int64_t index);

// The shape of a sample, [height, width, channels] or [height, width], after all changes: Crop and
// ResizedCrop may give it another height and width. UserError for another rank, for more channels
// than a change takes, and for a crop that is larger than the padded image.
Shape output_shape(const Augmentation& augmentation, const Shape& sample);

// images [B, height, width, channels] or [B, height, width], keys u32[B, 2] as above -> the same
// images changed, each by its own key whatever the batch. Floats keep their type; u8 becomes f32
// from 0 to 255 (not rounded), whatever range is given. UserError for other types and shapes, and
// for changes that mix samples.
Tensor apply(const Augmentation& augmentation, const Tensor& images, const Tensor& keys,
             const PixelRange& range = {});

// Images and targets after changes that may mix samples of the batch.
struct Augmented {
  Tensor images;
  Tensor targets;
};
// The same with targets [B, classes], one-hot or soft floats; `batch_key` u32[2] decides how the
// batch is mixed. What is mixed depends on who else is in the batch.
Augmented apply(const Augmentation& augmentation, const Tensor& images, const Tensor& targets,
                const Tensor& keys, const Tensor& batch_key, const PixelRange& range = {});

}  // namespace tenon::augment
