#include "tenon/schedule/plan.h"

#include "tenon/base/variant.h"
#include "tenon/ir/build.h"
#include "tenon/schedule/lifetimes.h"
#include "tests/fuzz/random_graph.h"

namespace tenon::schedule {
namespace {

using ir::Builder;
using ir::Merge;
using ir::Role;
using ir::Value;

// Runs a plan on names instead of numbers: each byte of the arena remembers which buffer wrote it,
// and who reads a buffer must find only bytes that are its own.
class OwnershipChecker {
 public:
  explicit OwnershipChecker(const Plan& plan) : plan_(plan) {
    owners_.resize(static_cast<std::size_t>(plan.arena_bytes), -1);
  }
  void run() { run(plan_.steps); }

 private:
  void run(const std::vector<PlanStep>& steps) {
    for (const PlanStep& step : steps) {
      std::visit(cases{[&](const Launch&) { touch(step); }, [&](const Copy&) { touch(step); },
                       [&](const Repeat& loop) {
                         for (std::int64_t i = 0; i < std::min<std::int64_t>(loop.count, 3); ++i)
                           run(loop.body);
                       },
                       [&](const RepeatWhile& loop) {
                         for (int i = 0; i < 3; ++i) {
                           run(loop.condition);
                           touch(step);
                           run(loop.body);
                         }
                       },
                       [&](const Branch& branch) {
                         touch(step);
                         const std::vector<int> before = owners_;
                         run(branch.on_true);
                         const std::vector<int> after_true = std::exchange(owners_, before);
                         run(branch.on_false);
                         // Who reads later must find the same on both ways.
                         for (std::size_t i = 0; i < owners_.size(); ++i)
                           if (owners_[i] != after_true[i]) owners_[i] = -1;
                       }},
                 step.step);
    }
  }

  void touch(const PlanStep& step) {
    visit_references(plan_, step, [&](const BufferRef& ref, bool is_written) {
      if (!is_written) expect_owned(ref);
    });
    visit_references(plan_, step, [&](const BufferRef& ref, bool is_written) {
      if (is_written) own(ref);
    });
  }

  template <class Visit>
  void visit_bytes(const BufferRef& ref, const Visit& visit) {
    const PlanBuffer& buffer = plan_.buffers[ref.buffer];
    if (buffer.place != Place::arena) return;
    ASSERT_LE(buffer.offset + buffer.bytes, plan_.arena_bytes);
    EXPECT_EQ(buffer.offset % kArenaAlignment, 0);
    for (std::int64_t i = 0; i < buffer.bytes; ++i)
      visit(owners_[static_cast<std::size_t>(buffer.offset + i)]);
  }
  void expect_owned(const BufferRef& ref) {
    bool is_owned = true;
    visit_bytes(ref, [&](int owner) { is_owned &= owner == static_cast<int>(ref.buffer); });
    EXPECT_TRUE(is_owned) << "b" << ref.buffer << " is read but partly overwritten\n"
                          << print(plan_);
  }
  void own(const BufferRef& ref) {
    visit_bytes(ref, [&](int& owner) { owner = static_cast<int>(ref.buffer); });
  }

  const Plan& plan_;
  std::vector<int> owners_;
};

lower::Target cpu() { return {}; }

Plan plan_of(const ir::Graph& graph) {
  Plan plan = make_plan(graph, cpu());
  OwnershipChecker(plan).run();
  EXPECT_GE(plan.arena_bytes, plan.live_bytes);
  return plan;
}

template <class Kind>
int count(const std::vector<PlanStep>& steps) {
  int total = 0;
  for (const PlanStep& step : steps) total += std::holds_alternative<Kind>(step.step) ? 1 : 0;
  return total;
}

const TensorType kVector{DType::f32, {100}};

Value state(Builder& b, const char* name) { return b.input({name, kVector, Role::state, {}}); }
Value data(Builder& b, const char* name) { return b.input({name, kVector, Role::data, {}}); }
ir::Output update(Value value, std::uint32_t input) { return {"", value, input, Merge::carry}; }
ir::Output result(Value value) { return {"", value, std::nullopt, Merge::carry}; }

TEST(MakePlan, UpdatesStateInPlace) {
  Builder b;
  const Value w = state(b, "w"), x = data(b, "x");
  const Plan plan = plan_of(std::move(b).finish({update(ir::subtract(b, w, x), 0)}));
  EXPECT_EQ(plan.arena_bytes, 0);
  EXPECT_EQ(plan.state_count, 1u);
  EXPECT_EQ(plan.input_count, 1u);
  EXPECT_EQ(plan.result_count, 0u);
  EXPECT_EQ(count<Launch>(plan.steps), 1);
  EXPECT_EQ(count<Copy>(plan.steps), 0);
}

TEST(MakePlan, OldValuesAreReadBeforeTheyAreOverwritten) {
  // The result reads the old w across its elements, so it cannot share the update's loop.
  Builder b;
  const Value w = state(b, "w"), x = data(b, "x");
  const Value sum = ir::reduce_sum(b, w, {0});
  const Plan plan = plan_of(std::move(b).finish({update(ir::subtract(b, w, x), 0), result(sum)}));
  EXPECT_EQ(count<Copy>(plan.steps), 0);
  const auto& last = std::get<Launch>(plan.steps.back().step);
  bool writes_state = false;
  visit_references(plan, plan.steps.back(), [&](const BufferRef& ref, bool is_written) {
    writes_state |= is_written && plan.buffers[ref.buffer].place == Place::state;
  });
  EXPECT_TRUE(writes_state) << last.kernel << print(plan);
}

TEST(MakePlan, NewValueThatMeetsTheOldOneWaits) {
  // w' feeds a reduction whose result is combined with the old w: w' cannot be made in place.
  Builder b;
  const Value w = state(b, "w"), x = data(b, "x");
  const Value next = ir::subtract(b, w, x);
  const Value sum = ir::broadcast(b, ir::reduce_sum(b, next, {0}), kVector.shape, {});
  const Value both = ir::add(b, w, sum);
  const Plan plan = plan_of(std::move(b).finish({update(next, 0), result(both)}));
  EXPECT_EQ(count<Copy>(plan.steps), 1) << print(plan);
}

TEST(MakePlan, Swap) {
  Builder b;
  const Value first = state(b, "first"), second = state(b, "second");
  const Plan plan = plan_of(std::move(b).finish({update(second, 0), update(first, 1)}));
  EXPECT_EQ(print(plan),
            "plan: 0 kernels, arena 448 bytes, at least 448 alive at once\n"
            "buffers:\n"
            "  b0 first: 400 bytes, state[0]\n"
            "  b1 second: 400 bytes, state[1]\n"
            "  b2 copy of parameter_0: 400 bytes, arena + 0\n"
            "steps:\n"
            "  b2 = copy(b0), 400 bytes\n"
            "  b0 = copy(b1), 400 bytes\n"
            "  b1 = copy(b2), 400 bytes\n");
}

TEST(MakePlan, RotationOfThreeAndIdentity) {
  Builder b;
  const Value s0 = state(b, "s0"), s1 = state(b, "s1"), s2 = state(b, "s2"), s3 = state(b, "s3");
  const Plan plan =
      plan_of(std::move(b).finish({update(s1, 0), update(s2, 1), update(s0, 2), update(s3, 3)}));
  EXPECT_EQ(count<Copy>(plan.steps), 4);
  EXPECT_EQ(plan.arena_bytes, 448);
}

TEST(MakePlan, SwapWithArithmetic) {
  Builder b;
  const Value first = state(b, "first"), second = state(b, "second");
  const Value sum = ir::broadcast(b, ir::reduce_sum(b, first, {0}), kVector.shape, {});
  const Value other = ir::broadcast(b, ir::reduce_sum(b, second, {0}), kVector.shape, {});
  plan_of(std::move(b).finish(
      {update(ir::add(b, second, other), 0), update(ir::add(b, first, sum), 1)}));
}

TEST(MakePlan, OutputsThatAreNotMadeHereAreCopied) {
  Builder b;
  const Value w = state(b, "w"), x = data(b, "x");
  const Value constant = ir::constant(b, make_tensor<float>({2}, {1, 2}));
  const Value next = ir::subtract(b, w, x);
  // The old state, an input, a constant, and one value in three places.
  const Plan plan = plan_of(std::move(b).finish(
      {result(w), result(x), result(constant), update(next, 0), result(next), result(next)}));
  EXPECT_EQ(plan.result_count, 5u);
  EXPECT_EQ(count<Copy>(plan.steps), 5) << print(plan);
  EXPECT_EQ(count<Launch>(plan.steps), 1);
  EXPECT_EQ(plan.arena_bytes, 0);
}

TEST(MakePlan, BarriersAndReshapesAreOtherNames) {
  Builder b;
  const Value x = data(b, "x");
  const Value through = b.add(ir::Barrier{1}, {x});
  const Value same = b.add(ir::ShardingConstraint{}, {through});
  const Plan plan = plan_of(std::move(b).finish({result(ir::negate(b, same))}));
  EXPECT_EQ(count<Launch>(plan.steps), 1);
  EXPECT_EQ(count<Copy>(plan.steps), 0);
  EXPECT_EQ(plan.arena_bytes, 0);
}

TEST(MakePlan, EqualKernelsAreOne) {
  Builder b;
  Value x = b.input({"x", {DType::f32, {16, 16}}, Role::data, {}});
  for (int i = 0; i < 4; ++i) {
    const Value w = b.input({fmt::format("w{}", i), {DType::f32, {16, 16}}, Role::state, {}});
    x = ir::matmul(b, x, w);
  }
  const Plan plan = plan_of(std::move(b).finish({result(x)}));
  EXPECT_LT(plan.kernels.size(), static_cast<std::size_t>(count<Launch>(plan.steps)));
}

// total = 0; for each row r of x: total = total + r, rows of y = total.
ir::GraphRef running_sum() {
  Builder b;
  const Value total = b.input({"total", kVector, Role::data, {}});
  const Value row = b.input({"row", kVector, Role::data, {}});
  const Value next = ir::add(b, total, row);
  return ir::GraphRef(std::move(b).finish({next, next}));
}

// The gradients of a stack of wide layers: the weights lie across.
TEST(MakePlan, FewRowsNeedNoMoreMemoryThanMany) {
  const auto planned = [](std::int64_t rows) {
    Builder b;
    const TensorType weight{DType::f32, {1024, 1024}};
    const Value x = b.input({"x", {DType::f32, {rows, 1024}}, Role::data, {}});
    const Value first = b.input({"first", weight, Role::state, {}}),
                second = b.input({"second", weight, Role::state, {}});
    const auto across = [&](Value lhs, Value rhs) {
      return b.add(ir::Dot{{}, {}, {1}, {1}, DType::f32, ir::Precision::highest}, {lhs, rhs});
    };
    const Value y = across(across(x, first), second);
    const ir::Graph graph = std::move(b).finish({result(y)});
    return plan_of(graph).arena_bytes;
  };
  const std::int64_t many = planned(128);
  for (const std::int64_t rows : {4, 10, 32, 63}) EXPECT_LE(planned(rows), many) << rows;
}

TEST(MakePlan, ScanCarriesInPlaceAndStacksSlices) {
  Builder b;
  const Value w = state(b, "w");
  const Value rows = b.input({"rows", {DType::f32, {7, 100}}, Role::data, {}});
  const Value last = b.add(ir::Scan{running_sum(), 7, 1, 1, true}, {w, rows});
  const Plan plan = plan_of(std::move(b).finish({update(last, 0), result({last.node, 1})}));
  EXPECT_EQ(print(plan).substr(print(plan).find("steps:")),
            "steps:\n"
            "  repeat 7 times from last to first, i0:\n"
            "    b0 = " +
                plan.kernels[0].name +
                "(b0, b1 + 400 * i0), grid 1\n"
                "    b2 + 400 * i0 = copy(b0), 400 bytes\n");
  EXPECT_EQ(plan.arena_bytes, 0);
}

TEST(MakePlan, ScanKeepsAnInitialValueThatIsNeededLater) {
  Builder b;
  const Value x = data(b, "x");
  const Value rows = b.input({"rows", {DType::f32, {7, 100}}, Role::data, {}});
  const Value start = ir::negate(b, x);
  const Value last = b.add(ir::Scan{running_sum(), 7, 1, 1, false}, {start, rows});
  const Value used = ir::subtract(b, last, start);
  const Plan plan = plan_of(std::move(b).finish({result(used)}));
  EXPECT_EQ(count<Copy>(plan.steps), 1);
  EXPECT_EQ(count<Repeat>(plan.steps), 1);
}

TEST(MakePlan, SwapInsideScan) {
  Builder body;
  const Value first = body.input({"first", kVector, Role::data, {}});
  const Value second = body.input({"second", kVector, Role::data, {}});
  const ir::GraphRef swap(std::move(body).finish({second, first, first}));
  Builder b;
  const Value w = state(b, "w"), v = state(b, "v");
  const Value last = b.add(ir::Scan{swap, 3, 2, 0, false}, {w, v});
  const Plan plan = plan_of(
      std::move(b).finish({update(last, 0), update({last.node, 1}, 1), result({last.node, 2})}));
  const auto& loop = std::get<Repeat>(plan.steps.front().step);
  EXPECT_EQ(count<Copy>(loop.body), 4);
}

TEST(MakePlan, WeightsOfALoopArePackedBeforeIt) {
  Builder body;
  const Value h = body.input({"h", {DType::f32, {8, 64}}, Role::data, {}});
  const Value w = body.input({"w", {DType::f32, {64, 64}}, Role::data, {}});
  const Value next = ir::matmul(body, h, w);
  const ir::GraphRef product(std::move(body).finish({next}));
  Builder b;
  const Value start = b.input({"start", {DType::f32, {8, 64}}, Role::data, {}});
  const Value weights = b.input({"weights", {DType::f32, {64, 64}}, Role::data, {}});
  const Value last = b.add(ir::Scan{product, 5, 1, 0, false}, {start, weights});
  const Plan plan = plan_of(std::move(b).finish({result(last)}));
  const auto packs = [&](const PlanStep& step) {
    const auto* launch = std::get_if<Launch>(&step.step);
    return launch != nullptr && plan.kernels[launch->kernel].name.ends_with("pack");
  };
  EXPECT_EQ(std::ranges::count_if(plan.steps, packs), 1) << print(plan);
  const auto& loop = std::get<Repeat>(plan.steps.back().step);
  EXPECT_EQ(std::ranges::count_if(loop.body, packs), 0) << print(plan);
}

TEST(MakePlan, WhileAndCond) {
  Builder condition;
  const Value total = condition.input({"total", kVector, Role::data, {}});
  const Value sum = ir::reduce_sum(condition, total, {0});
  const Value limit = ir::splat(condition, 100, {DType::f32, {}});
  const ir::GraphRef is_small(
      std::move(condition).finish({ir::compare(condition, ScalarFunction::less, sum, limit)}));
  Builder doubling;
  const Value x = doubling.input({"x", kVector, Role::data, {}});
  const ir::GraphRef twice(std::move(doubling).finish({ir::add(doubling, x, x)}));
  Builder identity;
  const ir::GraphRef same(
      std::move(identity).finish({identity.input({"x", kVector, Role::data, {}})}));

  Builder b;
  const Value w = state(b, "w");
  const Value flag = b.input({"flag", {DType::boolean, {}}, Role::data, {}});
  const Value start = ir::negate(b, w);
  const Value grown = b.add(ir::While{is_small, twice}, {start});
  const Value chosen = b.add(ir::Cond{twice, same}, {flag, grown});
  const Plan plan = plan_of(std::move(b).finish({update(chosen, 0)}));
  EXPECT_EQ(count<RepeatWhile>(plan.steps), 1);
  EXPECT_EQ(count<Branch>(plan.steps), 1);
}

TEST(MakePlan, RandomGraphsNeverOverlapAndStayNearTheBound) {
  double arena = 0, bound = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    fuzz::RandomGraphOptions options;
    options.nodes = 80;
    options.composites = false;
    const Plan plan = plan_of(fuzz::random_graph(seed, options));
    arena += static_cast<double>(plan.arena_bytes);
    bound += static_cast<double>(plan.live_bytes);
  }
  EXPECT_LE(arena, 1.05 * bound);
}

}  // namespace
}  // namespace tenon::schedule
