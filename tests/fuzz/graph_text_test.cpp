#include <gtest/gtest.h>

#include "random_graph.h"
#include "tenon/ir/parse.h"
#include "tenon/ir/print.h"
#include "tenon/ir/verify.h"

namespace tenon::fuzz {
namespace {

TEST(RandomGraph, IsWellFormedAndDeterministic) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const ir::Graph graph = random_graph(seed);
    ir::verify(graph);
    ASSERT_EQ(graph, random_graph(seed));
  }
}

TEST(RandomGraph, CoversEveryOpButControlFlow) {
  std::set<std::size_t> seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const ir::Graph graph = random_graph(seed);
    for (const ir::Node& node : graph.nodes()) seen.insert(node.op.index());
  }
  // Not made: Scan, While, Cond, CustomGradient, LayerNormGradient.
  EXPECT_EQ(seen.size(), std::variant_size_v<ir::Op> - 5);
}

TEST(GraphText, RoundTripsRandomGraphs) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const ir::Graph graph = random_graph(seed);
    const std::string text = ir::print(graph);
    const ir::Graph back = ir::parse(text);
    ASSERT_EQ(back, graph) << text;
    ASSERT_EQ(ir::print(back), text);
  }
}

// Whatever the text, parse returns a graph or throws UserError.
void expect_no_harm(std::string_view text) {
  try {
    ir::verify(ir::parse(text));
  } catch (const UserError& error) {
    ASSERT_TRUE(std::string_view(error.what()).starts_with("graph text ")) << error.what();
  }
}

TEST(GraphText, RandomBytesDoNoHarm) {
  ThreefrySequence random{1};
  for (int i = 0; i < 3000; ++i) {
    std::string text = i % 2 ? "graph(" : "";
    for (std::uint64_t n = random.below(200); n > 0; --n)
      text += static_cast<char>(random.below(i % 3 ? 128 : 256));
    ASSERT_NO_FATAL_FAILURE(expect_no_harm(text));
  }
}

TEST(GraphText, MutatedTextDoesNoHarm) {
  static constexpr std::string_view kPieces[] = {"0",
                                                 "-1",
                                                 "9223372036854775807",
                                                 "18446744073709551616",
                                                 "%0",
                                                 "%99",
                                                 "[",
                                                 "]",
                                                 "{",
                                                 "}",
                                                 "(",
                                                 ")",
                                                 ",",
                                                 "=",
                                                 ":",
                                                 "\"",
                                                 "//",
                                                 "f32",
                                                 "bool[",
                                                 "graph(",
                                                 "return",
                                                 "nan:0x",
                                                 "1e999",
                                                 "[4294967296,4294967296,4294967296]",
                                                 "axes=[0,0]",
                                                 "-9223372036854775808",
                                                 "\n",
                                                 ".",
                                                 "inf"};
  ThreefrySequence random{2};
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    RandomGraphOptions options;
    options.nodes = 12;
    std::string text = ir::print(random_graph(seed, options));
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      const std::size_t at = random.below(text.size());
      const std::size_t length = random.below(std::min<std::uint64_t>(6, text.size() - at));
      switch (random.below(4)) {
        case 0: text.erase(at, length); break;
        case 1: text.insert(at, kPieces[random.below(std::size(kPieces))]); break;
        case 2: text.replace(at, length, kPieces[random.below(std::size(kPieces))]); break;
        default: text.insert(at, text.substr(random.below(text.size()), 20)); break;
      }
    }
    ASSERT_NO_FATAL_FAILURE(expect_no_harm(text)) << text;
  }
}

TEST(GraphText, NumbersReplacedByExtremesDoNoHarm) {
  static constexpr std::string_view kExtremes[] = {"-1",
                                                   "0",
                                                   "1",
                                                   "2147483648",
                                                   "9223372036854775807",
                                                   "-9223372036854775808",
                                                   "4611686018427387904",
                                                   "65"};
  ThreefrySequence random{3};
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    RandomGraphOptions options;
    options.nodes = 12;
    const std::string text = ir::print(random_graph(seed, options));
    std::string changed;
    for (std::size_t i = 0; i < text.size();) {
      std::size_t end = i;
      while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
      if (end > i && random.below(30) == 0)
        changed += kExtremes[random.below(std::size(kExtremes))];
      else
        changed += text.substr(i, std::max<std::size_t>(end - i, 1));
      i = std::max(end, i + 1);
    }
    ASSERT_NO_FATAL_FAILURE(expect_no_harm(changed)) << changed;
  }
}

}  // namespace
}  // namespace tenon::fuzz
