// docs/semantics.md shows the definition of every composite as it is.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "tenon/ir/op.h"
#include "tenon/ir/print.h"
#include "tenon/ir/rebuild.h"

namespace tenon::ir {
namespace {

std::string document() {
  std::ifstream file(TENON_TEST_DATA "/../../docs/semantics.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

template <class Op>
void expect_shown(const Op& op, const std::vector<TensorType>& types) {
  static const std::string kDocument = document();
  // The custom_gradient that stops a gradient is long and always the same.
  static const std::regex kStop(
      "custom_gradient\\((%[0-9]+)\\) forward=graph\\([^)]*\\) \\{\n    return %0\n  \\} "
      "backward=graph\\([^)]*\\) \\{\n[^}]*\\{0\\}\n[^}]*return %4\n  \\}");
  // In the order of need, which does not depend on the compiler.
  const Graph graph = rebuild(definition(op, types),
                              [](const RebuildNode&) -> Replacement { return std::nullopt; });
  const std::string text = std::regex_replace(print(graph), kStop, "stop_gradient($1)");
  EXPECT_NE(kDocument.find(text), std::string::npos)
      << "docs/semantics.md does not show the definition of " << Op::kName << ":\n"
      << text;
}

TEST(DefinitionsDocument, ShowsEveryComposite) {
  const TensorType matrix{DType::f32, {2, 3}}, row{DType::f32, {2}}, features{DType::f32, {3}};
  const TensorType scalar{DType::f32, {}};
  expect_shown(Softmax{1}, {matrix});
  expect_shown(LogSoftmax{1}, {matrix});
  expect_shown(SparseCrossEntropy{}, {matrix, {DType::i32, {2}}});
  expect_shown(LayerNorm{1e-5}, {matrix, features, features});
  expect_shown(LayerNormGradient{}, {matrix, features, row, row, matrix});
  expect_shown(RmsNorm{1e-6}, {matrix, features});
  const TensorType keys{DType::f32, {4, 3}}, values{DType::f32, {4, 5}};
  expect_shown(Attention{0.5, true}, {matrix, keys, values});
  expect_shown(AdamUpdate{}, {features, features, features, features, scalar, scalar, scalar,
                              scalar, scalar, scalar});
  expect_shown(MomentumUpdate{true}, {features, features, features, scalar, scalar});
}

}  // namespace
}  // namespace tenon::ir
