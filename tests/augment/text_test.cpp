// Augmentations as text, and what is refused.
#include "augment_testing.h"

namespace tenon::augment {
namespace {

TEST(AugmentText, RoundTrips) {
  const Augmentation some = parse(
      "flip, crop:padding=2:border=reflect,rotate:degrees=10:fill=0.5,hue:amount=0.25:probability="
      "0.5,cutmix");
  EXPECT_EQ(some, (Augmentation{Flip{}, Crop{.padding = 2, .border = Border::reflect},
                                Rotate{.degrees = 10, .fill = 0.5},
                                Hue{.amount = 0.25, .probability = 0.5}, CutMix{}}));
  EXPECT_EQ(text_of(some),
            "flip,crop:padding=2:border=reflect,rotate:degrees=10:fill=0.5,hue:amount=0.25:"
            "probability=0.5,cutmix");
  EXPECT_EQ(parse(text_of(some)), some);
  EXPECT_EQ(parse(""), Augmentation());
  EXPECT_EQ(text_of({}), "");
  for (const std::string& name : change_names()) {
    EXPECT_EQ(text_of(parse(name)), name);
    EXPECT_EQ(kind_of(parse(name).changes.at(0)), name);
    EXPECT_EQ(parse(name).mixes(), name == "mixup" || name == "cutmix");
  }
  const double third = 1.0 / 3;
  EXPECT_EQ(parse(text_of({Noise{.deviation = third}})), (Augmentation{Noise{.deviation = third}}));
}

TEST(AugmentText, UnknownNamesOptionsAndWordsAreTold) {
  const auto error = [](const char* text) { return error_of([&] { parse(text); }); };
  EXPECT_EQ(error("flip,rotat"),
            "unknown augmentation \"rotat\"; known: flip, flip_vertical, rotate, crop, "
            "resized_crop, translate, zoom, shear, brightness, contrast, saturation, hue, noise, "
            "blur, cutout, mixup, cutmix; did you mean \"rotate\"?");
  EXPECT_EQ(error("flip,").substr(0, 32), "unknown augmentation \"\"; known: ");
  EXPECT_EQ(error("flip:p=1"),
            "augmentation \"flip:p=1\": unknown option \"p\"; known: probability");
  EXPECT_EQ(error("rotate:15"),
            "augmentation \"rotate:15\": expected option=number after each colon, got \"15\"");
  EXPECT_EQ(error("rotate:degrees=x"),
            "augmentation \"rotate:degrees=x\": degrees must be a number, got \"x\"");
  EXPECT_EQ(error("rotate:degrees=1e999"),
            "augmentation \"rotate:degrees=1e999\": degrees must be a number, got \"1e999\"");
  EXPECT_EQ(error("rotate:border=edges"),
            "unknown border \"edges\"; known: fill, edge, reflect; did you mean \"edge\"?");
  EXPECT_EQ(error("crop:padding=1.5"),
            "crop: padding must be a whole number in 0 to 65535, got 1.5");
  EXPECT_EQ(error("crop:padding=1e300"),
            "crop: padding must be a whole number in 0 to 65535, got 1e+300");
  EXPECT_EQ(error("crop:padding=2:padding=3"),
            "augmentation \"crop:padding=2:padding=3\": padding is given twice");
}

TEST(AugmentErrors, NumbersOutOfTheirBounds) {
  EXPECT_EQ(error_of([] { Augmentation{Rotate{.degrees = 181}}; }),
            "rotate: degrees must be in 0 to 180, got 181");
  EXPECT_EQ(error_of([] { Augmentation{Flip{.probability = NAN}}; }),
            "flip: probability must be in 0 to 1, got nan");
  EXPECT_EQ(error_of([] { Augmentation{Cutout{.size = 0}}; }),
            "cutout: size must be in 1 to 65535, got 0");
  EXPECT_EQ(error_of([] { Augmentation{Rotate{.fill = HUGE_VAL}}; }),
            "rotate: fill must be finite, got inf");
  EXPECT_EQ(error_of([] { Augmentation{Zoom{.least = 2, .most = 1}}; }),
            "zoom: least is 2, above most, 1");
  EXPECT_EQ(error_of([] { Augmentation{ResizedCrop{.least_area = 0.9, .most_area = 0.5}}; }),
            "resized_crop: least_area is 0.9, above most_area, 0.5");
  EXPECT_EQ(error_of([] { Augmentation{Blur{.size = 4}}; }), "blur: size must be odd, got 4");
  // Fields that were set later are checked when they are used.
  Augmentation late{Hue{}};
  std::get<Hue>(late.changes[0]).amount = 0.6;
  EXPECT_EQ(error_of([&] {
              apply(late, zeros({2, 4, 4, 3}), keys_of(2));
            }),
            "hue: amount must be in 0 to 0.5, got 0.6");
}

TEST(AugmentErrors, ImagesThatDoNotFit) {
  const Augmentation flip{Flip{}};
  const Tensor images = zeros({2, 4, 5, 3});
  const auto error = [](const Augmentation& augmentation, const Tensor& x) {
    return error_of([&] { apply(augmentation, x, keys_of(2)); });
  };
  EXPECT_EQ(error(flip, zeros({2, 4})),
            "augmentation: images must be [batch, height, width, channels] or [batch, height, "
            "width], got f32[2,4]");
  EXPECT_EQ(error(flip, zeros({2, 4, 4, 3}, DType::i32)),
            "augmentation: images must be floats or u8, got i32[2,4,4,3]");
  EXPECT_EQ(error_of([&] { apply(flip, images, keys_of(3)); }),
            "augmentation: expected keys u32[2,2], one for each image (see sample_keys), got "
            "u32[3,2]");
  EXPECT_EQ(error({Crop{.padding = 1, .height = 7}}, images),
            "crop: 7 x 5 pixels do not fit into images of 4 x 5 padded by 1");
  EXPECT_EQ(error({Crop{.padding = 1, .height = 6, .width = 8}}, images),
            "crop: 6 x 8 pixels do not fit into images of 4 x 5 padded by 1");
  EXPECT_EQ(error({Crop{.padding = 1, .height = 6, .width = 7}}, images), "no error");
  EXPECT_EQ(error({Blur{.size = 9}}, images),
            "blur: size 9 takes images of 5 x 5 pixels or more, got 4 x 5");
  EXPECT_EQ(error({Hue{}}, zeros({2, 4, 4, 4})), "hue: images must have 1 or 3 channels, got 4");
  EXPECT_EQ(error({Mixup{}}, images),
            "augmentation: mixup mixes the samples of a batch, and so needs their targets");
  EXPECT_EQ(error_of([&] {
              apply({Mixup{}}, images, zeros({2}, DType::i32), keys_of(2), random::key(1));
            }),
            "augmentation: targets must be floats [2, classes] (see one_hot), got i32[2]");
  EXPECT_EQ(error_of([&] { apply(flip, images, keys_of(2), {.black = 1, .white = 1}); }),
            "augmentation: black 1 must be below white 1, both finite");
  EXPECT_EQ(error_of([&] { sample_keys(random::key(1), zeros({2})); }),
            "sample_keys: expected indices of samples, integers [batch], got f32[2]");
  EXPECT_EQ(output_shape({ResizedCrop{.height = 3}, Crop{.padding = 0, .height = 2}}, {9, 8, 3}),
            (Shape{2, 8, 3}));
  EXPECT_EQ(error_of([] { output_shape({}, {9}); }),
            "augmentation: samples must be [height, width, channels] or [height, width], got [9]");
}

}  // namespace
}  // namespace tenon::augment
