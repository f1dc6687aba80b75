#include "tenon/data/cifar10.h"

#include <gtest/gtest.h>

#include "data_testing.h"
#include "tenon/data/open.h"
#include "tenon/io/file.h"

namespace tenon::data {
namespace {

constexpr std::size_t kPlane = 32 * 32;

// One record: red pixels are `label`, green ones `label` + 100, blue ones 7 but for the first.
std::string cifar_record(int label) {
  std::string record(1, static_cast<char>(label));
  record += std::string(kPlane, static_cast<char>(label));
  record += std::string(kPlane, static_cast<char>(label + 100));
  record += '\x09' + std::string(kPlane - 1, '\x07');
  return record;
}

void write_cifar(const TemporaryFolder& folder) {
  for (int i = 1; i <= 5; ++i)
    io::write_file_atomically(folder / fmt::format("data_batch_{}.bin", i),
                              std::string_view(cifar_record(i) + cifar_record(i - 1)));
  io::write_file_atomically(folder / "test_batch.bin", std::string_view(cifar_record(9)));
}

TEST(Cifar10, PlanesBecomePixels) {
  const TemporaryFolder folder;
  write_cifar(folder);
  const TrainTest both = cifar10(folder.path());
  EXPECT_EQ(both.train.x().type(), (TensorType{DType::u8, {10, 32, 32, 3}}));
  EXPECT_EQ(both.train.y().tensor(),
            make_tensor<std::int32_t>({10}, {1, 0, 2, 1, 3, 2, 4, 3, 5, 4}));
  EXPECT_EQ(both.test.y().tensor(), make_tensor<std::int32_t>({1}, {9}));
  const HostTensor third = both.train.x().rows(2, 1).tensor();
  const auto pixels = third.as<std::uint8_t>();
  EXPECT_EQ((std::vector<int>(pixels.begin(), pixels.begin() + 6)),
            (std::vector<int>{2, 102, 9, 2, 102, 7}));
  EXPECT_EQ(both.train.class_names()[9], "truck");
  EXPECT_EQ(both.test.class_count(), 10);
  EXPECT_EQ(open("cifar10:" + folder.path()).test->size(), 1);
}

TEST(Cifar10, ClassNamesComeFromTheFolder) {
  const TemporaryFolder folder;
  write_cifar(folder);
  io::write_file_atomically(folder / "batches.meta.txt",
                            std::string_view("a\r\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n"));
  EXPECT_EQ(cifar10(folder.path()).train.class_names()[0], "a");
  EXPECT_EQ(cifar10(folder.path()).train.class_names()[9], "j");
  io::write_file_atomically(folder / "batches.meta.txt", std::string_view("a\nb\n"));
  EXPECT_EQ(error_of([&] { cifar10(folder.path()); }),
            folder.path() + "/batches.meta.txt: 2 class names; 10 lines expected");
}

TEST(Cifar10, BadFilesAreNamed) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { cifar10(folder / "nothing"); }),
            "cannot read " + folder.path() + "/nothing: there is no such folder");
  write_cifar(folder);
  const auto error_with = [&](const std::string& file, const std::string& content) {
    io::write_file_atomically(folder / file, std::string_view(content));
    const std::string message = error_of([&] { cifar10(folder.path()); });
    write_cifar(folder);
    return message;
  };
  const std::string prefix = folder.path() + "/";
  EXPECT_EQ(
      error_with("data_batch_3.bin", cifar_record(1).substr(0, 3072)),
      prefix + "data_batch_3.bin: 3072 bytes are not a whole number of records of 3073 bytes");
  EXPECT_EQ(error_with("data_batch_3.bin", ""),
            prefix + "data_batch_3.bin: 0 bytes are not a whole number of records of 3073 bytes");
  EXPECT_EQ(error_with("test_batch.bin", cifar_record(1) + "x"),
            prefix + "test_batch.bin: 3074 bytes are not a whole number of records of 3073 bytes");
  EXPECT_EQ(error_with("data_batch_5.bin", cifar_record(1) + cifar_record(10)),
            prefix + "data_batch_5.bin: byte 3073: record 1 has the label 10; 0 to 9 expected");
  EXPECT_EQ(error_with("data_batch_5.bin", std::string(std::size_t{10001} * 3073, '\0')),
            prefix + "data_batch_5.bin: 10001 records; a file of CIFAR-10 has 10000 at most");
  std::filesystem::remove(folder / "data_batch_4.bin");
  EXPECT_TRUE(error_of([&] { cifar10(folder.path()); }).find("data_batch_4.bin") !=
              std::string::npos);
}

}  // namespace
}  // namespace tenon::data
