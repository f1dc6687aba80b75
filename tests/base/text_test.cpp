#include "tenon/base/text.h"

#include <gtest/gtest.h>

namespace tenon {
namespace {

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split(",", ','), (std::vector<std::string_view>{"", ""}));
}

TEST(Text, TrimRemovesBlanksOnBothSides) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, JoinFormatsElements) {
  EXPECT_EQ(join(std::vector<int>{1, 2, 3}, ", "), "1, 2, 3");
  EXPECT_EQ(join(std::vector<std::string>{}, ", "), "");
}

TEST(Text, InQuotesEscapesAndCuts) {
  EXPECT_EQ(in_quotes("a\n\"\x01"), "\"a\\n\\\"\\x01\"");
  EXPECT_EQ(in_quotes("abcdef", 3), "\"abc...\"");
  EXPECT_EQ(in_quotes("ab\xc3\xa9z", 3), "\"ab...\"");
}

TEST(Text, NeededBytesAreEnough) {
  EXPECT_EQ(bytes_text(1), "1 byte");
  EXPECT_EQ(bytes_text(1023), "1023 bytes");
  EXPECT_EQ(bytes_text((std::int64_t{1} << 20) + 1), "1.00 MiB");
  EXPECT_EQ(needed_bytes_text((std::int64_t{1} << 20) + 1), "1.01 MiB");
  EXPECT_EQ(needed_bytes_text(std::int64_t{3} << 29), "1.50 GiB");
  for (std::int64_t bytes = 1024; bytes < std::int64_t{1} << 30; bytes += bytes / 7 + 1) {
    const std::string text = needed_bytes_text(bytes);
    const double unit = text.ends_with("KiB") ? 0x1p10 : 0x1p20;
    EXPECT_GE(std::stod(text) * unit, static_cast<double>(bytes)) << text;
    EXPECT_LE(std::stod(text) * unit, static_cast<double>(bytes) * 1.01) << text;
  }
}

TEST(Text, EditDistanceCountsSwapsOnce) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("adam", "adma"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Text, DidYouMeanNamesTheNearestWordOnly) {
  const std::vector<std::string> words = {"adam", "sgd", "momentum"};
  EXPECT_EQ(did_you_mean("adm", words), "; did you mean \"adam\"?");
  EXPECT_EQ(did_you_mean("momentun", words), "; did you mean \"momentum\"?");
  EXPECT_EQ(did_you_mean("rmsprop", words), "");
  EXPECT_EQ(did_you_mean("x", std::vector<std::string>{"y"}), "");
  EXPECT_EQ(did_you_mean("", words), "");
  EXPECT_EQ(did_you_mean(std::string(100000, 'x'), words), "");
}

}  // namespace
}  // namespace tenon
