// Patterns of names, and that none takes long.
#include "tenon/base/name_pattern.h"

#include <gtest/gtest.h>
#include <string>

namespace tenon {
namespace {

TEST(NamePattern, StandsForTheWholeName) {
  EXPECT_TRUE(matches_pattern("dense/kernel", "dense/kernel"));
  EXPECT_FALSE(matches_pattern("dense/kernel", "dense"));
  EXPECT_FALSE(matches_pattern("dense/kernel", "kernel"));
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_FALSE(matches_pattern("a", ""));
}

TEST(NamePattern, StarsStandForAnyCharacters) {
  EXPECT_TRUE(matches_pattern("encoder/dense_1/kernel", "encoder/*"));
  EXPECT_TRUE(matches_pattern("encoder/dense_1/kernel", "*kernel"));
  EXPECT_TRUE(matches_pattern("encoder/dense_1/kernel", "*/dense*/k*"));
  EXPECT_TRUE(matches_pattern("kernel", "*kernel"));
  EXPECT_TRUE(matches_pattern("", "**"));
  EXPECT_FALSE(matches_pattern("encoder/dense_1/bias", "*kernel"));
  EXPECT_FALSE(matches_pattern("encoder", "encoder/*"));
  // The first place that fits is not the one that counts.
  EXPECT_TRUE(matches_pattern("abcabd", "*abd"));
  EXPECT_TRUE(matches_pattern("aXbXc", "a*X?"));
}

TEST(NamePattern, QuestionMarksStandForOneCharacter) {
  EXPECT_TRUE(matches_pattern("dense_1/bias", "dense_?/bias"));
  EXPECT_FALSE(matches_pattern("dense/bias", "dense_?/bias"));
  EXPECT_FALSE(matches_pattern("", "?"));
}

TEST(NamePattern, ManyStarsAreTriedInBoundedTime) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "a*";
  EXPECT_FALSE(matches_pattern(std::string(4000, 'a'), pattern + "b"));
}

}  // namespace
}  // namespace tenon
