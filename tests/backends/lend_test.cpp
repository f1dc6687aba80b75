// Memory of the host that is lent to a step: read where it lies if the device can, else copied.
#include "tenon/backends/host_buffer.h"
#include "tests/backends/cpu_testing.h"

namespace tenon::backends {
namespace {

using Lend = CpuTest;

// y = x + 1
ir::Graph increment(std::int64_t count) {
  ir::Builder b;
  const ir::Value x = b.input({"x", {DType::f32, {count}}, ir::Role::data, {}});
  const ir::Value one = ir::splat(b, 1, {DType::f32, {count}});
  return std::move(b).finish({result(ir::add(b, x, one))});
}

std::vector<float> numbers_from(float first, std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(first + static_cast<float>(i));
  return values;
}

void expect_from(Backend& backend, const Buffer& buffer, float first) {
  const HostTensor found = download(backend, buffer);
  EXPECT_EQ(std::vector<float>(found.as<float>().begin(), found.as<float>().end()),
            numbers_from(first, found.size()));
}

TEST_F(Lend, AStepReadsWhatIsLentThen) {
  const TensorType type{DType::f32, {37}};
  for (const bool is_cpu : {true, false}) {
    const auto backend = is_cpu ? open_with(2) : open_reference();
    const auto executable = backend->compile(increment(37), {});
    const auto step = executable->bind({});
    Buffer x = backend->allocate({type, {}});
    std::array<Buffer*, 1> inputs{&x};
    std::vector<Buffer> results(1);
    const std::vector<float> first = numbers_from(5, 37), second = numbers_from(70, 37);
    for (const std::vector<float>& values : {first, second, first}) {
      backend->lend(x, {type, values.data()});
      expect_from(*backend, x, values[0]);
      step->run(inputs, results).wait();
      expect_from(*backend, results[0], values[0] + 1);
    }
    backend->write(x, {type, second.data()});
    step->run(inputs, results).wait();
    expect_from(*backend, results[0], 71);
  }
}

TEST_F(Lend, NothingIsCopiedUnlessItMustBe) {
  const TensorType type{DType::f32, {37}};
  const auto backend = open_with(1);
  Buffer x = backend->allocate({type, {}});
  const std::vector<float> values = numbers_from(5, 37);
  backend->lend(x, {type, values.data()});
  EXPECT_EQ(static_cast<const void*>(host_data(x)), values.data());
  backend->write(x, {type, values.data()});
  EXPECT_NE(static_cast<const void*>(host_data(x)), values.data());
  // Elements that no processor must read where they are.
  std::vector<std::byte> bytes(37 * 4 + 1);
  std::memcpy(bytes.data() + 1, values.data(), 37 * 4);
  backend->lend(x, {type, bytes.data() + 1});
  EXPECT_NE(host_data(x), bytes.data() + 1);
  expect_from(*backend, x, 5);
}

TEST_F(Lend, AnotherTypeIsAnError) {
  const auto backend = open_with(1);
  Buffer x = backend->allocate({{DType::f32, {37}}, {}});
  const std::vector<float> values = numbers_from(0, 36);
  EXPECT_EQ(error_of([&] {
              backend->lend(x, {{DType::f32, {36}}, values.data()});
            }),
            "lend: the buffer holds f32[37], the host's tensor is f32[36]");
}

}  // namespace
}  // namespace tenon::backends
