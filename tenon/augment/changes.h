// The random changes of images: plain structs, each with the fields that a user may set.
#pragma once
#include <variant>

#include "tenon/augment/fields.h"

namespace tenon::augment {

// Numbers of colours and of noise are in units of the pixel range: 0 is black, 1 is white. Each
// sample is changed with `probability` (mixtures: each batch), and stays as it is otherwise.
// "Uniform in a to b" is drawn anew for each sample.

// Left and right exchanged.
struct Flip {
  static constexpr std::string_view kKind = "flip";
  double probability = 0.5;
  void fields(FieldVisitor& visit) { visit("probability", probability, kFraction); }
  bool operator==(const Flip&) const = default;
};

// Top and bottom exchanged.
struct FlipVertical {
  static constexpr std::string_view kKind = "flip_vertical";
  double probability = 0.5;
  void fields(FieldVisitor& visit) { visit("probability", probability, kFraction); }
  bool operator==(const FlipVertical&) const = default;
};

// Turned about the centre, counter-clockwise, by an angle uniform in -degrees to degrees.
struct Rotate {
  static constexpr std::string_view kKind = "rotate";
  double degrees = 15;
  Border border = Border::fill;
  double fill = 0;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("degrees", degrees, {0, 180});
    visit("border", border);
    visit("fill", fill, kAnyNumber);
    visit("probability", probability, kFraction);
  }
  bool operator==(const Rotate&) const = default;
};

// Moved by whole pixels, each way uniform in -padding to padding: what padding the image and
// cutting out its old size at a random place gives (He et al. 2015). With a height and a width,
// the size that is cut out of the padded image.
struct Crop {
  static constexpr std::string_view kKind = "crop";
  std::int64_t padding = 4;
  std::int64_t height = 0;  // 0: as it was
  std::int64_t width = 0;
  Border border = Border::fill;
  double fill = 0;
  double probability = 1;  // otherwise the middle is cut out
  void fields(FieldVisitor& visit) {
    visit("padding", padding, kPixels);
    visit("height", height, kPixels);
    visit("width", width, kPixels);
    visit("border", border);
    visit("fill", fill, kAnyNumber);
    visit("probability", probability, kFraction);
  }
  bool operator==(const Crop&) const = default;
};

// A random rectangle of the image, resized to height x width (0: as it was) by bilinear sampling
// without antialiasing: Szegedy et al. 2014. Its area is a part of the image's uniform in
// least_area to most_area, its width / height log-uniform in least_ratio to most_ratio; after ten
// rectangles that do not fit, the largest one of a ratio in range in the middle (as torchvision
// does).
struct ResizedCrop {
  static constexpr std::string_view kKind = "resized_crop";
  std::int64_t height = 0;
  std::int64_t width = 0;
  double least_area = 0.08;
  double most_area = 1;
  double least_ratio = 0.75;
  double most_ratio = 4.0 / 3;
  double probability = 1;  // otherwise the whole image is resized
  void fields(FieldVisitor& visit) {
    visit("height", height, kPixels);
    visit("width", width, kPixels);
    visit("least_area", least_area, kFraction);
    visit("most_area", most_area, kFraction);
    visit("least_ratio", least_ratio, {1e-3, 1e3});
    visit("most_ratio", most_ratio, {1e-3, 1e3});
    visit("probability", probability, kFraction);
  }
  bool operator==(const ResizedCrop&) const = default;
};

// Moved down and to the right by parts of the height and the width, uniform in -height to height
// and -width to width.
struct Translate {
  static constexpr std::string_view kKind = "translate";
  double height = 0.1;
  double width = 0.1;
  Border border = Border::fill;
  double fill = 0;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("height", height, kFraction);
    visit("width", width, kFraction);
    visit("border", border);
    visit("fill", fill, kAnyNumber);
    visit("probability", probability, kFraction);
  }
  bool operator==(const Translate&) const = default;
};

// Enlarged about the centre by a factor uniform in `least` to `most`.
struct Zoom {
  static constexpr std::string_view kKind = "zoom";
  double least = 0.8;
  double most = 1.2;
  Border border = Border::fill;
  double fill = 0;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("least", least, {0.01, 100});
    visit("most", most, {0.01, 100});
    visit("border", border);
    visit("fill", fill, kAnyNumber);
    visit("probability", probability, kFraction);
  }
  bool operator==(const Zoom&) const = default;
};

// Rows moved to the right by the tangent of an angle, uniform in -degrees to degrees, times their
// distance below the middle.
struct Shear {
  static constexpr std::string_view kKind = "shear";
  double degrees = 10;
  Border border = Border::fill;
  double fill = 0;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("degrees", degrees, {0, 80});
    visit("border", border);
    visit("fill", fill, kAnyNumber);
    visit("probability", probability, kFraction);
  }
  bool operator==(const Shear&) const = default;
};

// Pixels times a factor uniform in 1 - amount (at least 0) to 1 + amount; then clipped to the
// range.
struct Brightness {
  static constexpr std::string_view kKind = "brightness";
  double amount = 0.2;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("amount", amount, {0, 100});
    visit("probability", probability, kFraction);
  }
  bool operator==(const Brightness&) const = default;
};

// The distance from the mean gray of the image, times such a factor.
struct Contrast {
  static constexpr std::string_view kKind = "contrast";
  double amount = 0.2;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("amount", amount, {0, 100});
    visit("probability", probability, kFraction);
  }
  bool operator==(const Contrast&) const = default;
};

// The distance from the gray of each pixel, times such a factor. Gray images stay as they are.
struct Saturation {
  static constexpr std::string_view kKind = "saturation";
  double amount = 0.2;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("amount", amount, {0, 100});
    visit("probability", probability, kFraction);
  }
  bool operator==(const Saturation&) const = default;
};

// The hue turned by a part of the circle uniform in -amount to amount. Gray images stay as they
// are.
struct Hue {
  static constexpr std::string_view kKind = "hue";
  double amount = 0.1;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("amount", amount, {0, 0.5});
    visit("probability", probability, kFraction);
  }
  bool operator==(const Hue&) const = default;
};

// A normal number of this deviation added to each number; then clipped to the range.
struct Noise {
  static constexpr std::string_view kKind = "noise";
  double deviation = 0.05;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("deviation", deviation, {0, 100});
    visit("probability", probability, kFraction);
  }
  bool operator==(const Noise&) const = default;
};

// Gaussian weights over size x size pixels, their deviation in pixels uniform in `least` to `most`;
// the image is reflected at its border.
struct Blur {
  static constexpr std::string_view kKind = "blur";
  std::int64_t size = 5;  // odd
  double least = 0.1;
  double most = 2;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("size", size, {1, 63});
    visit("least", least, {0.01, 100});
    visit("most", most, {0.01, 100});
    visit("probability", probability, kFraction);
  }
  bool operator==(const Blur&) const = default;
};

// A square of this side in pixels, centred at a random pixel and cut at the border, becomes `fill`:
// DeVries, Taylor 2017.
struct Cutout {
  static constexpr std::string_view kKind = "cutout";
  std::int64_t size = 8;
  double fill = 0;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("size", size, {1, 65535});
    visit("fill", fill, kAnyNumber);
    visit("probability", probability, kFraction);
  }
  bool operator==(const Cutout&) const = default;
};

// share * image + (1 - share) * partner, targets alike; one share from Beta(alpha, alpha) for the
// batch. The partner of sample i of n is n - 1 - i. Zhang et al. 2017.
struct Mixup {
  static constexpr std::string_view kKind = "mixup";
  double alpha = 0.2;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("alpha", alpha, {0.01, 100});
    visit("probability", probability, kFraction);
  }
  bool operator==(const Mixup&) const = default;
};

// A rectangle of the area 1 - share, centred at a random pixel and cut at the border, comes from
// the partner (as for Mixup); targets are mixed by the area that it really has. Yun et al. 2019.
struct CutMix {
  static constexpr std::string_view kKind = "cutmix";
  double alpha = 1;
  double probability = 1;
  void fields(FieldVisitor& visit) {
    visit("alpha", alpha, {0.01, 100});
    visit("probability", probability, kFraction);
  }
  bool operator==(const CutMix&) const = default;
};

using Change =
    std::variant<Flip, FlipVertical, Rotate, Crop, ResizedCrop, Translate, Zoom, Shear, Brightness,
                 Contrast, Saturation, Hue, Noise, Blur, Cutout, Mixup, CutMix>;

// "flip", "rotate", ...
std::string_view kind_of(const Change& change);
void visit_fields(Change& change, FieldVisitor& visit);

}  // namespace tenon::augment
