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
