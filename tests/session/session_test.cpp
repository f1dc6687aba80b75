// Sessions: fetching, feeding, updating, functions per type, sharing and errors.
#include "tenon/session/session.h"

#include <thread>

#include "../tensor/tensor_testing.h"

namespace tenon {
namespace {

class Devices : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, Devices, testing::Values("reference", "cpu"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(Devices, RunComputesConstantsAndFeeds) {
  Session session(GetParam());
  const Tensor a = constant({{1, 2}, {3, 4}});
  EXPECT_EQ(session.run(matmul(a, a)), make_tensor<float>({2, 2}, {7, 10, 15, 22}));
  const Tensor x = placeholder("x", {DType::f32, {2}}), y = placeholder("y", {DType::f32, {2}});
  const auto results = session.run({x + y, x * y, x}, {{x, make_tensor<float>({2}, {1, 2})},
                                                       {y, make_tensor<float>({2}, {10, 20})}});
  EXPECT_EQ(results[0], make_tensor<float>({2}, {11, 22}));
  EXPECT_EQ(results[1], make_tensor<float>({2}, {10, 40}));
  EXPECT_EQ(results[2], make_tensor<float>({2}, {1, 2}));
  EXPECT_TRUE(session.run(std::span<const Tensor>{}).empty());
}

TEST_P(Devices, FetchesMayRepeatAndBeInputs) {
  Session session(GetParam());
  const Variable v(make_scalar(5.0f), "v");
  const Tensor t(v);
  const auto results = session.run({t, t, t + 1});
  EXPECT_EQ(results[0], make_scalar(5.0f));
  EXPECT_EQ(results[1], make_scalar(5.0f));
  EXPECT_EQ(results[2], make_scalar(6.0f));
}

TEST_P(Devices, UpdatesApplyAfterTheFetches) {
  Session session(GetParam());
  const Variable count(make_scalar<std::int32_t>(3), "count");
  const Variable copy(make_scalar<std::int32_t>(0), "copy");
  const std::vector<Update> updates{assign(count, Tensor(count) + 1),
                                    assign(copy, Tensor(count) * 10)};
  for (int i = 3; i < 6; ++i)
    EXPECT_EQ(session.run({Tensor(count)}, {}, updates)[0], make_scalar<std::int32_t>(i));
  EXPECT_EQ(session.read(count), make_scalar<std::int32_t>(6));
  EXPECT_EQ(session.read(copy), make_scalar<std::int32_t>(50));  // the value before the last step
  session.write(count, make_scalar<std::int32_t>(100));
  EXPECT_EQ(session.run(Tensor(count)), make_scalar<std::int32_t>(100));
}

TEST_P(Devices, VariablesMaySwap) {
  Session session(GetParam());
  const Variable a(make_tensor<float>({2}, {1, 2}), "a"), b(make_tensor<float>({2}, {3, 4}), "b");
  session.run(std::span<const Tensor>{}, {},
              std::array{assign(a, Tensor(b)), assign(b, Tensor(a))});
  EXPECT_EQ(session.read(a), make_tensor<float>({2}, {3, 4}));
  EXPECT_EQ(session.read(b), make_tensor<float>({2}, {1, 2}));
}

TEST_P(Devices, StepsShareVariablesAndAreReused) {
  Session session(GetParam());
  const Variable w(make_tensor<float>({2}, {1, 2}), "w");
  const Tensor x = placeholder("x", {DType::f32, {2}});
  CompiledStep train =
      session.compile(std::array{x}, {{sum(Tensor(w) * x)}, {assign(w, Tensor(w) - 0.5f * x)}});
  CompiledStep read = session.compile({}, {{Tensor(w) * 10}, {}});
  const HostTensor ones = make_tensor<float>({2}, {1, 1});
  EXPECT_EQ(train.run(std::array{HostView(ones)})[0], make_scalar(3.0f));
  EXPECT_EQ(train.run(std::array{HostView(ones)})[0], make_scalar(2.0f));
  EXPECT_EQ(read.run(std::span<const HostView>{})[0], make_tensor<float>({2}, {0, 10}));
  EXPECT_EQ(train.input_count(), 1u);
  EXPECT_EQ(train.fetch_count(), 1u);
  EXPECT_EQ(train.fetch_type(0), (TensorType{DType::f32, {}}));
  EXPECT_GE(train.memory().state, 8);
}

TEST_P(Devices, FunctionsAreTracedOncePerType) {
  Session session(GetParam());
  int traces = 0;
  const Variable calls(make_scalar<std::int32_t>(0), "calls");
  Function square_sum = session.function([&](const Arguments& x) {
    ++traces;
    return StepResult{{sum(x[0] * x[0])}, {assign(calls, Tensor(calls) + 1)}};
  });
  EXPECT_EQ(square_sum({make_tensor<float>({2}, {3, 4})})[0], make_scalar(25.0f));
  EXPECT_EQ(square_sum({make_tensor<float>({2}, {1, 1})})[0], make_scalar(2.0f));
  EXPECT_EQ(traces, 1);
  EXPECT_EQ(square_sum({make_tensor<float>({3}, {1, 1, 1})})[0], make_scalar(3.0f));
  EXPECT_EQ(square_sum({make_tensor<double>({2}, {3, 4})})[0], make_scalar(25.0));
  EXPECT_EQ(traces, 3);
  EXPECT_EQ(session.read(calls), make_scalar<std::int32_t>(4));
}

TEST_P(Devices, FunctionsTakeTheirArgumentsByName) {
  Session session(GetParam());
  const HostTensor three = make_scalar(3.0f), four = make_scalar(4.0f);
  Function difference = session.function([](Tensor x, const Tensor& y) -> StepResult {
    return {{x - y}, {}};
  });
  EXPECT_EQ(difference({three, four})[0], make_scalar(-1.0f));
  // Mutable, without arguments, and a plain function.
  int traces = 0;
  Function constant_of = session.function([traces]() mutable -> StepResult {
    return {{constant({static_cast<float>(++traces)})}, {}};
  });
  EXPECT_EQ(constant_of({})[0], make_tensor<float>({1}, {1}));
  StepResult (*square)(Tensor) = [](Tensor x) -> StepResult { return {{x * x}, {}}; };
  EXPECT_EQ(session.function(square)({three})[0], make_scalar(9.0f));
}

TEST(Session, FunctionsCheckTheNumberOfArguments) {
  Session session("reference");
  const HostTensor value = make_scalar(3.0f);
  Function named = session.function([](Tensor x, Tensor y) -> StepResult { return {{x + y}, {}}; });
  EXPECT_EQ(error_of([&] { named({value}); }), "the function takes 2 arguments, 1 given");
  EXPECT_EQ(error_of([&] {
              named({value, value, value});
            }),
            "the function takes 2 arguments, 3 given");
  Function listed = session.function([](const Arguments& in) -> StepResult {
    return {{in[0] + in[1]}, {}};
  });
  EXPECT_EQ(error_of([&] { listed({value}); }),
            "the function uses argument 1, it was called with 1");
  EXPECT_EQ(listed({value, value})[0], make_scalar(6.0f));
}

TEST(Session, VariablesThatNoStepHasSeen) {
  Session session("reference");
  const std::string message =
      "a variable is used before it is defined\n  help: a layer defines its variables when the "
      "model first sees an input: run or compile a step with it, or call Trainer::build, before; a "
      "variable of your own is given its initial value: Variable w(make_scalar(0.0f), \"w\")";
  EXPECT_EQ(error_of([&] { session.read(Variable()); }), message);
  EXPECT_EQ(error_of([&] { session.write(Variable(), make_scalar(1.0f)); }), message);
  EXPECT_EQ(error_of([&] { Tensor unused{Variable()}; }), message);
}

// Drawing the initial values of a large model takes seconds; who loads others does not wait for it.
TEST_P(Devices, VariablesThatAreWrittenFirstAreNotInitialized) {
  Session session(GetParam());
  int initialized = 0;
  const auto make = [&] {
    Variable v;
    v.define("v", {DType::f32, {2}}, VariableKind::weight, [&](std::uint64_t) {
      ++initialized;
      return HostTensor({DType::f32, {2}});
    });
    return v;
  };
  const Variable copied = make(), moved = make(), used = make();
  const HostTensor values = make_tensor<float>({2}, {3, 4});
  session.write(copied, values);
  session.write(moved, HostTensor(values));
  EXPECT_EQ(initialized, 0);
  const auto results = session.run({Tensor(copied) + 1, Tensor(moved) + 1, Tensor(used)});
  EXPECT_EQ(results[0], make_tensor<float>({2}, {4, 5}));
  EXPECT_EQ(results[1], make_tensor<float>({2}, {4, 5}));
  EXPECT_EQ(results[2], make_tensor<float>({2}, {0, 0}));
  EXPECT_EQ(initialized, 1);
  // A step that is bound to the memory of a variable sees what is written later.
  session.write(moved, make_tensor<float>({2}, {7, 8}));
  EXPECT_EQ(session.run(Tensor(moved) + 1), make_tensor<float>({2}, {8, 9}));
  EXPECT_EQ(session.read(copied), values);
  EXPECT_EQ(error_of([&] { session.write(make(), make_scalar(1.0f)); }),
            "variable \"v\" holds f32[2], the new value is f32[]");
}

TEST_P(Devices, PrintShowsValuesOfRunningSteps) {
  std::vector<std::string> lines;
  SessionOptions options;
  options.print = [&](std::string_view text) { lines.emplace_back(text); };
  Session session(GetParam(), options);
  const Tensor x = placeholder("x", {DType::f32, {2}});
  const Tensor h = print(x * 2, "h1");
  const Tensor unused = print(h + 1, "unused");
  const Tensor y = print(sum(h), "total");
  EXPECT_EQ(session.run(y, {{x, make_tensor<float>({2}, {1, 2})}}), make_scalar(6.0f));
  EXPECT_EQ(lines, (std::vector<std::string>{"h1 = " + to_string(make_tensor<float>({2}, {2, 4})),
                                             "total = 6."}));
  lines.clear();
  // Fetches keep their places, and results come in the caller's buffers.
  CompiledStep step = session.compile(std::array{x}, {{y, h}, {}});
  EXPECT_EQ(step.fetch_count(), 2u);
  EXPECT_EQ(step.run(std::array{HostView(make_tensor<float>({2}, {1, 1}))})[1],
            make_tensor<float>({2}, {2, 2}));
  EXPECT_EQ(step.run(std::array{HostView(make_tensor<float>({2}, {5, 1}))})[0], make_scalar(12.0f));
  EXPECT_EQ(lines.size(), 4u);
  lines.clear();
  EXPECT_EQ(session.run(x + 1, {{x, make_tensor<float>({2}, {1, 2})}}),
            make_tensor<float>({2}, {2, 3}));
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(session.run(unused, {{x, make_tensor<float>({2}, {0, 0})}}).size(), 2);
  EXPECT_EQ(lines.size(), 2u);  // h1 and unused
}

TEST_P(Devices, NamedValuesAreFetched) {
  Session session(GetParam());
  const Tensor x = placeholder("x", {DType::f32, {3}});
  const Tensor loss = sum(tanh(x).named("hidden") * 0);
  const HostTensor zeros({DType::f32, {3}});
  EXPECT_EQ(session.run(find(loss, "hidden"), {{x, zeros}}), zeros);
}

TEST_P(Devices, SessionsRunInParallelThreads) {
  const Variable shared(make_scalar(1.0), "shared");
  std::array<double, 4> results{};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Session session(GetParam(), {.threads = 1});
      const Tensor x = placeholder("x", {DType::f64, {}});
      CompiledStep step = session.compile(
          std::array{x}, {{}, {assign(shared, Tensor(shared) * x + static_cast<double>(t))}});
      const HostTensor two = make_scalar(2.0);
      for (int i = 0; i < 10; ++i) step.run(std::array{HostView(two)});
      results[static_cast<std::size_t>(t)] = element_as_double(session.read(shared), 0);
    });
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 4; ++t) EXPECT_EQ(results[static_cast<std::size_t>(t)], 1024 + t * 1023.0);
}

TEST_P(Devices, ASessionWithADifferentSeedStartsElsewhere) {
  const Variable noise;
  noise.define("noise", {DType::f64, {}}, VariableKind::weight,
               [](std::uint64_t seed) { return make_scalar(static_cast<double>(seed)); });
  Session a(GetParam(), {.seed = 7}), b(GetParam(), {.seed = 8});
  EXPECT_FALSE(a.has(noise));
  EXPECT_EQ(a.run(Tensor(noise)), make_scalar(7.0));
  EXPECT_EQ(b.run(Tensor(noise)), make_scalar(8.0));
  EXPECT_TRUE(a.has(noise));
}

TEST(Session, StandardOutputGetsPrintsWithoutACallback) {
  Session session("reference");
  testing::internal::CaptureStdout();
  session.run(print(constant({1, 2}), "h1"));
  std::fflush(stdout);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "h1 = [1., 2.]\n");
}

TEST(Session, Errors) {
  EXPECT_EQ(error_of([] { Session("gpu"); }),
            "unknown device \"gpu\"; known devices: cpu, reference; did you mean \"cpu\"?");
  Session session("reference");
  const Tensor x = placeholder("x", {DType::f32, {2}});
  const HostTensor value = make_tensor<float>({2}, {1, 2});
  EXPECT_EQ(error_of([&] { session.run(x + 1); }),
            "placeholder \"x\" (f32[2]) is needed but was not fed; add it to the feeds");
  EXPECT_EQ(error_of([&] {
              session.run(x, {{x, make_scalar(1.0f)}});
            }),
            "feed of \"x\": expected f32[2], got f32[]");
  EXPECT_EQ(error_of([&] {
              session.run(x, {{x, value}, {x, value}});
            }),
            "placeholder \"x\" is fed twice");
  EXPECT_EQ(error_of([&] {
              session.run(x + 1, {{x + 1, value}});
            }),
            "feed: a tensor of type f32[2] is not a placeholder and cannot be fed");
  EXPECT_EQ(error_of([&] { session.run(Tensor()); }),
            "an empty Tensor was used; give it a value first");
  const Variable w(value, "w");
  EXPECT_EQ(error_of([&] {
              session.run(std::span<const Tensor>{}, {},
                          std::array{assign(w, zeros({2})), assign(w, ones({2}))});
            }),
            "assign: \"w\" is assigned twice in one step");
  EXPECT_EQ(error_of([&] { session.write(w, make_scalar(1.0f)); }),
            "variable \"w\" holds f32[2], the new value is f32[]");
  CompiledStep step = session.compile(std::array{x}, {{x * 2}, {}});
  EXPECT_EQ(error_of([&] { step.run(std::span<const HostView>{}); }),
            "the step takes 1 inputs, 0 were given");
  EXPECT_EQ(error_of([] { Session("reference", {.threads = -1}); }),
            "threads: expected a number from 1 to 1024, or 0 for all usable cores, got -1");
}

}  // namespace
}  // namespace tenon
