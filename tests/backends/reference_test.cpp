#include "tenon/backends/reference/reference.h"

#include "tenon/ir/build.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

// weight' = weight - x, result = weight * x; and a swap: a' = b, b' = a.
ir::Graph step_graph() {
  ir::Builder b;
  const TensorType type{DType::f32, {3}};
  const ir::Value x = b.input({"x", type, ir::Role::data, {}});
  const ir::Value weight = b.input({"weight", type, ir::Role::state, {}});
  const ir::Value first = b.input({"a", type, ir::Role::state, {}});
  const ir::Value second = b.input({"b", type, ir::Role::scalar_state, {}});
  const ir::Value product = ir::multiply(b, weight, x);
  const ir::Value next = ir::subtract(b, weight, x);
  return std::move(b).finish({{"weight", next, 1, ir::Merge::carry},
                              {"product", product, std::nullopt, ir::Merge::carry},
                              {"a", second, 2, ir::Merge::carry},
                              {"b", first, 3, ir::Merge::carry}});
}

TEST(Reference, UpdatesStateInPlace) {
  const auto backend = open_reference();
  const auto values =
      run_graph(*backend, step_graph(),
                {make_tensor<float>({3}, {1, 2, 3}), make_tensor<float>({3}, {10, 20, 30}),
                 make_tensor<float>({3}, {1, 1, 1}), make_tensor<float>({3}, {2, 2, 2})},
                3);
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0], make_tensor<float>({3}, {7, 14, 21}));
  EXPECT_EQ(values[1], make_tensor<float>({3}, {2, 2, 2}));
  EXPECT_EQ(values[2], make_tensor<float>({3}, {1, 1, 1}));
  EXPECT_EQ(values[3], make_tensor<float>({3}, {8, 32, 72}));
}

TEST(Reference, ReportsMemory) {
  const MemoryReport memory = open_reference()->compile(step_graph(), {})->memory();
  EXPECT_EQ(memory.state, 36);
  EXPECT_EQ(memory.inputs, 12);
  EXPECT_EQ(memory.results, 12);
  EXPECT_EQ(memory.arena, 24);
  EXPECT_EQ(memory.total(), 84);
}

TEST(Reference, ChecksBuffers) {
  const auto backend = open_reference();
  const auto executable = backend->compile(step_graph(), {});
  Buffer good = backend->allocate({{DType::f32, {3}}, {}});
  Buffer other = backend->allocate({{DType::f32, {4}}, {}});
  Buffer empty;
  const std::vector<Buffer*> none, wrong = {&good, &other, &good}, missing = {&good, &empty, &good};
  EXPECT_EQ(error_of([&] { executable->bind(none); }),
            "the step takes 3 state buffers, 0 were given");
  EXPECT_EQ(error_of([&] { executable->bind(wrong); }),
            "state 1 (\"a\"): expected f32[3], the buffer holds f32[4]");
  EXPECT_EQ(error_of([&] { executable->bind(missing); }),
            "state 1 (\"a\"): the buffer is empty, expected f32[3]");
  Buffer a = backend->allocate({{DType::f32, {3}}, {}}),
         b = backend->allocate({{DType::f32, {3}}, {}});
  const std::vector<Buffer*> state = {&good, &a, &b}, inputs = {&other};
  const auto step = executable->bind(state);
  std::vector<Buffer> results(1), too_many(2);
  EXPECT_EQ(error_of([&] { step->run(inputs, results); }),
            "input 0 (\"x\"): expected f32[3], the buffer holds f32[4]");
  const std::vector<Buffer*> right = {&good};
  EXPECT_EQ(error_of([&] { step->run(right, too_many); }),
            "the step has 1 results, 2 buffers were given");
}

TEST(Reference, WriteAndReadCheckTypes) {
  const auto backend = open_reference();
  Buffer buffer = backend->allocate({{DType::i32, {2}}, {}}), empty;
  HostTensor tensor({DType::f32, {2}});
  EXPECT_EQ(error_of([&] { backend->write(buffer, tensor); }),
            "write: the buffer holds i32[2], the host's tensor is f32[2]");
  EXPECT_EQ(error_of([&] { backend->read(buffer, tensor); }),
            "read: the buffer holds i32[2], the host's tensor is f32[2]");
  EXPECT_EQ(error_of([&] { backend->write(empty, tensor); }), "write: the buffer is empty");
}

TEST(Devices, ByName) {
  EXPECT_EQ(open("reference")->name(), "reference");
  EXPECT_EQ(open("cpu")->name(), "cpu");
  EXPECT_EQ(device_names(), (std::vector<std::string>{"cpu", "reference"}));
  EXPECT_EQ(error_of([] { open("cpus"); }),
            "unknown device \"cpus\"; known devices: cpu, reference; did you mean \"cpu\"?");
  EXPECT_EQ(error_of([] {
              open("cpu", BackendOptions{-1, ""});
            }),
            "threads: expected a number from 1 to 1024, or 0 for all usable cores, got -1");
}

}  // namespace
}  // namespace tenon::backends
