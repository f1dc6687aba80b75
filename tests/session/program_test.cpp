// Programs: what is kept, in which order inputs and outputs stand.
#include "tenon/session/program.h"

#include "../tensor/tensor_testing.h"

namespace tenon {
namespace {

TEST(Program, KeepsOnlyWhatIsNeeded) {
  const Tensor x = placeholder("x", {DType::f32, {2}});
  const Variable w(make_tensor<float>({2}, {1, 2}), "w"), unused(make_scalar(1.0f), "unused");
  const Tensor y = (x * Tensor(w)).named("y");
  const Tensor other = exp(y) + Tensor(unused);
  const Program program = make_program(std::array{y}, {}, std::array{x});
  EXPECT_EQ(program.variables, std::vector<Variable>{w});
  EXPECT_EQ(program.graph.nodes().size(), 3u);
  EXPECT_EQ(program.graph.outputs()[0].name, "y");
  EXPECT_EQ(make_program(std::array{other}, {}, std::array{x}).variables.size(), 2u);
}

TEST(Program, SignatureTellsDataFromState) {
  const Tensor x = placeholder("x", {DType::f32, {}});
  const Variable w(make_scalar(1.0f), "w");
  const Variable rate(make_scalar(0.1f), "rate", VariableKind::scalar);
  const Variable key(make_tensor<std::uint32_t>({2}, {1, 2}), "key", VariableKind::key);
  const std::array updates{assign(w, Tensor(w) - Tensor(rate) * x),
                           assign(key, random::fold_in(Tensor(key), 1))};
  const Program program = make_program(std::array{x * 2}, updates, std::array{x});
  std::map<std::string, ir::Role> roles;
  for (const ir::Input& input : program.graph.inputs()) roles[input.name] = input.role;
  EXPECT_EQ(roles, (std::map<std::string, ir::Role>{{"x", ir::Role::data},
                                                    {"w", ir::Role::state},
                                                    {"rate", ir::Role::scalar_state},
                                                    {"key", ir::Role::key}}));
  EXPECT_EQ(program.graph.inputs()[0].name, "x");
  EXPECT_EQ(program.fetches, 1u);
  ASSERT_EQ(program.graph.outputs().size(), 3u);
  for (const ir::Output& output : program.graph.outputs())
    EXPECT_EQ(output.updates_input.has_value(), output.name == "w" || output.name == "key");
}

TEST(Program, UnusedPlaceholdersAndWrittenOnlyVariablesAreInputs) {
  const Tensor x = placeholder("x", {DType::f32, {}}), y = placeholder("y", {DType::f32, {}});
  const Variable v(make_scalar(0.0f), "v");
  const Program program =
      make_program(std::array{y}, std::array{assign(v, y + 1)}, std::array{x, y});
  EXPECT_EQ(program.graph.inputs().size(), 3u);
  EXPECT_EQ(program.variables, std::vector<Variable>{v});
}

TEST(Program, EqualProgramsFromSeparateTracesAreEqual) {
  const Variable w(make_scalar(1.0f), "w");
  const auto make = [&] {
    const Tensor x = placeholder("x", {DType::f32, {}});
    return make_program(std::array{tanh(x * Tensor(w))}, {}, std::array{x});
  };
  EXPECT_EQ(make(), make());
  EXPECT_EQ(make().graph.hash(), make().graph.hash());
}

TEST(Program, PrintsAreOutputsBetweenFetchesAndUpdates) {
  const Variable w(make_scalar(1.0f), "w");
  const Tensor h = print(Tensor(w) * 2, "h1");
  print(h * 5, "not needed");
  const Program program =
      make_program(std::array{h + 1}, std::array{assign(w, h)}, std::span<const Tensor>{});
  EXPECT_EQ(program.prints, std::vector<std::string>{"h1"});
  ASSERT_EQ(program.graph.outputs().size(), 3u);
  EXPECT_EQ(program.graph.outputs()[1].name, "h1");
  EXPECT_FALSE(program.graph.outputs()[1].updates_input);
}

}  // namespace
}  // namespace tenon
