#include "tenon/data/image_folder.h"

#include <gtest/gtest.h>

#include "data_testing.h"
#include "tenon/data/open.h"
#include "tenon/data/pipeline_batches.h"
#include "tenon/data/resize.h"
#include "tenon/io/file.h"
#include "tenon/io/jpeg.h"
#include "tenon/io/png.h"

namespace tenon::data {
namespace {

HostTensor plain_image(std::int64_t height, std::int64_t width, std::uint8_t value) {
  return filled({DType::u8, {height, width, 3}}, value);
}

// cat: a.JPG (9), b.png (20); dog: c.png (30), and files that are no images.
void write_images(const TemporaryFolder& folder) {
  for (const char* name : {"cat", "dog", ".hidden"})
    std::filesystem::create_directory(folder / name);
  io::write_file_atomically(folder / "cat/a.JPG", io::jpeg_bytes(plain_image(8, 8, 9), 100));
  io::write_png(folder / "cat/b.png", plain_image(8, 8, 20));
  io::write_png(folder / "dog/c.png", plain_image(8, 8, 30));
  io::write_file_atomically(folder / "dog/notes.txt", std::string_view("no image"));
  io::write_file_atomically(folder / "dog/.thumb.png", std::string_view("no image"));
}

TEST(ResizedBilinear, MixesNeighboursAtPixelCentres) {
  const HostTensor two = make_tensor<std::uint8_t>({1, 2, 1}, {0, 100});
  EXPECT_EQ(resized_bilinear(two, 1, 4), make_tensor<std::uint8_t>({1, 4, 1}, {0, 25, 75, 100}));
  EXPECT_EQ(resized_bilinear(two, 1, 1), make_tensor<std::uint8_t>({1, 1, 1}, {50}));
  // torch.nn.functional.interpolate(x, (3, 3), mode="bilinear"): 0 5 10; 10 15 20; 20 25 30.
  const HostTensor square = make_tensor<std::uint8_t>({2, 2, 1}, {0, 10, 20, 30});
  EXPECT_EQ(resized_bilinear(square, 3, 3),
            make_tensor<std::uint8_t>({3, 3, 1}, {0, 5, 10, 10, 15, 20, 20, 25, 30}));
  const HostTensor colours = make_tensor<std::uint8_t>({1, 2, 3}, {1, 2, 3, 5, 6, 7});
  EXPECT_EQ(resized_bilinear(colours, 1, 2), colours);
  EXPECT_EQ(resized_bilinear(colours, 2, 1),
            make_tensor<std::uint8_t>({2, 1, 3}, {3, 4, 5, 3, 4, 5}));
  EXPECT_EQ(resized_bilinear(filled({DType::u8, {7, 5, 3}}, 255), 31, 13),
            filled({DType::u8, {31, 13, 3}}, 255));
  EXPECT_EQ(error_of([&] { resized_bilinear(two, 0, 4); }),
            "resizing to 0 x 4 pixels; at least 1 x 1 is needed");
  EXPECT_EQ(error_of([] {
              resized_bilinear(HostTensor({DType::f32, {1, 1, 1}}), 2, 2);
            }),
            "resizing takes u8[height, width, channels] of at least one pixel, not f32[1,1,1]");
}

TEST(ImageFolder, ClassesAreTheSortedSubfolders) {
  const TemporaryFolder folder;
  write_images(folder);
  const ImageFolder images = image_folder(folder.path());
  EXPECT_EQ(images.class_names(), (std::vector<std::string>{"cat", "dog"}));
  ASSERT_EQ(images.size(), 3);
  EXPECT_EQ(images.file(0), folder / "cat/a.JPG");
  EXPECT_EQ(images.label(2), 1);
  EXPECT_EQ(images.read(1).x, plain_image(8, 8, 20));
  EXPECT_EQ(images.read(2).y, make_scalar<std::int32_t>(1));
  EXPECT_EQ(error_of([&] { images.read(3); }), folder.path() + ": image 3 of 3");
  for (const int workers : {0, 3}) {
    const Dataset dataset = images.load(workers);
    EXPECT_EQ(dataset.x().type(), (TensorType{DType::u8, {3, 8, 8, 3}}));
    EXPECT_EQ(dataset.y().tensor(), make_tensor<std::int32_t>({3}, {0, 0, 1}));
    EXPECT_EQ(dataset.x().rows(2, 1).tensor().bytes()[0], std::byte{30});
  }
}

TEST(ImageFolder, ImagesAreResizedOnlyWhenAsked) {
  const TemporaryFolder folder;
  write_images(folder);
  io::write_png(folder / "dog/d.png", plain_image(4, 6, 40));
  EXPECT_EQ(error_of([&] { image_folder(folder.path()).load(0); }),
            "sample 3 of epoch 0: " + folder.path() + "/dog/d.png: x is u8[4,6,3], but " +
                folder.path() +
                "/cat/a.JPG has u8[8,8,3]\n  help: --image-size HEIGHTxWIDTH makes them equal "
                "(ImageFolderOptions in C++), --bad-samples skip leaves such images out");
  const BadSamples bad;
  EXPECT_EQ(image_folder(folder.path()).load(2, bad).size(), 3);
  EXPECT_EQ(bad.count(), 1);
  const Dataset resized =
      image_folder(folder.path(), {.height = 5, .width = 3, .channels = 1}).load(2);
  EXPECT_EQ(resized.x().type(), (TensorType{DType::u8, {4, 5, 3, 1}}));
  EXPECT_EQ(resized.x().rows(3, 1).tensor(), filled({DType::u8, {1, 5, 3, 1}}, 40));
  EXPECT_EQ(error_of([&] { image_folder(folder.path(), {.height = 5}); }),
            "images of 5 x 0 pixels; 1 to 65535 a side, or 0 x 0 to leave them as they are");
  EXPECT_EQ(error_of([&] { image_folder(folder.path(), {.channels = 2}); }),
            "images of 2 channels; 1 (gray) or 3 (RGB) expected");
}

TEST(ImageFolder, BadImagesStopOrAreCounted) {
  const TemporaryFolder folder;
  write_images(folder);
  io::write_file_atomically(folder / "cat/b.png", std::string_view("not a picture"));
  const ImageFolder images = image_folder(folder.path());
  const std::string reason =
      folder.path() + "/cat/b.png: byte 0: neither a PNG nor a JPEG file by its first bytes";
  for (const int workers : {0, 2}) {
    EXPECT_EQ(error_of([&] { images.load(workers); }),
              "sample 1 of epoch 0: " + reason +
                  "\n  help: --bad-samples skip leaves such "
                  "images out");
    const BadSamples bad;
    const Dataset rest = images.load(workers, bad);
    EXPECT_EQ(rest.y().tensor(), make_tensor<std::int32_t>({2}, {0, 1}));
    EXPECT_EQ(bad.messages(), std::vector<std::string>{reason});
  }
  std::filesystem::remove_all(folder / "dog");
  std::filesystem::remove(folder / "cat/a.JPG");
  EXPECT_EQ(error_of([&] { image_folder(folder.path()).load(0, BadSamples()); }),
            folder.path() + ": none of its 1 images could be decoded");
}

TEST(ImageFolder, HugeImagesAreRefused) {
  const TemporaryFolder folder;
  write_images(folder);
  EXPECT_EQ(
      error_of([&] { image_folder(folder.path(), {.max_image_bytes = 100}).read(1); }),
      folder.path() + "/cat/b.png: byte 8: an image of 8 x 8 pixels, above the limit of 100 bytes");
}

TEST(ImageFolder, UnfittingFoldersAreNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { image_folder(folder / "nothing"); }),
            "cannot read " + folder.path() + "/nothing: there is no such folder");
  EXPECT_EQ(error_of([&] { image_folder(folder.path()); }),
            folder.path() + ": no sub-folders; one for each class is needed");
  std::filesystem::create_directory(folder / "cat");
  EXPECT_EQ(error_of([&] { image_folder(folder.path()); }),
            folder.path() + ": no .png, .jpg or .jpeg files in its 1 sub-folders");
  write_images(folder);
  EXPECT_EQ(
      error_of([&] {
        image_folder(folder.path(), {.class_names = {"cat", "dogs"}});
      }),
      folder.path() + ": the sub-folder \"dog\" is none of the 2 classes; did you mean \"dogs\"?");
  const ImageFolder known = image_folder(folder.path(), {.class_names = {"dog", "ant", "cat"}});
  EXPECT_EQ(known.label(0), 2);
  EXPECT_EQ(known.load(0).class_count(), 3);
  std::filesystem::create_directory(folder / "\xff");
  EXPECT_EQ(error_of([&] { image_folder(folder.path()); }),
            folder.path() + ": the name of a sub-folder: byte 0: the text is not UTF-8");
}

TEST(Open, ImageFoldersWithAndWithoutATestSet) {
  const TemporaryFolder folder;
  write_images(folder);
  const Opened single = open("images:" + folder.path(), {.images = {.height = 2, .width = 2}});
  EXPECT_EQ(single.train.x().type(), (TensorType{DType::u8, {3, 2, 2, 3}}));
  EXPECT_FALSE(single.test.has_value());
  for (const char* part : {"train", "test"}) {
    std::filesystem::create_directory(folder / part);
    std::filesystem::rename(folder / (part == std::string("train") ? "cat" : "dog"),
                            folder / (std::string(part) + "/x"));
  }
  std::filesystem::create_directory(folder / "train/a");
  const Opened both = open("images:" + folder.path());
  EXPECT_EQ(both.train.y().tensor(), make_tensor<std::int32_t>({2}, {1, 1}));
  EXPECT_EQ(both.test->y().tensor(), make_tensor<std::int32_t>({1}, {1}));
  EXPECT_EQ(both.test->class_names(), (std::vector<std::string>{"a", "x"}));
}

}  // namespace
}  // namespace tenon::data
