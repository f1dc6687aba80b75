// What options and the environment make of a compile: instruction sets, optimisations left out.
#include <gtest/gtest.h>

#include "tenon/backends/cpu/cpu.h"
#include "tenon/backends/cpu/process.h"
#include "tenon/backends/reference/reference.h"
#include "tenon/base/cpu_info.h"
#include "tenon/ir/build.h"
#include "tests/backends/backends_testing.h"

namespace tenon::backends {
namespace {

ir::Graph product() {
  ir::Builder b;
  const ir::Value x = b.input({"x", {DType::f32, {200, 64}}, ir::Role::data, {}});
  const ir::Value w = b.input({"w", {DType::f32, {64, 64}}, ir::Role::data, {}});
  return std::move(b).finish({ir::matmul(b, x, w), ir::exp(b, x)});
}

// The widest registers that the code in the cache folder names: 64, 32 or 16 bytes.
std::int64_t widest_registers(const std::filesystem::path& folder) {
  std::int64_t widest = 16;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    const ProcessResult text =
        Process({"/bin/sh", "-c",
                 "objdump -d --no-show-raw-insn \"$0\" | grep -oE '%[zy]mm|%k[1-7]' | sort -u",
                 item.path().string()})
            .wait(std::chrono::seconds(60));
    if (text.output.find("%ymm") != std::string::npos) widest = std::max<std::int64_t>(widest, 32);
    // Registers of masks belong to AVX-512 at any width.
    if (text.output.find("%zmm") != std::string::npos ||
        text.output.find("%k") != std::string::npos)
      widest = 64;
  }
  return widest;
}

TEST(CompileOptions, VectorBytesBoundTheInstructionSet) {
  const auto compile = [&](const char* bytes) {
    const TemporaryFolder folder;
    const ScopedVariable vectors("TENON_VECTOR_BYTES", bytes);
    open_cpu({1, folder.path().string()})->compile(product(), {});
    return widest_registers(folder.path());
  };
  EXPECT_EQ(compile("64"), cpu_info().vector_bytes);
  EXPECT_EQ(compile("32"), std::min<std::int64_t>(cpu_info().vector_bytes, 32));
}

TEST(CompileOptions, UnknownOptimisationsAreErrors) {
  CompileOptions options;
  options.skip = {"fuse_row"};
  const std::string message = error_of([&] { open_cpu({})->compile(product(), options); });
  EXPECT_TRUE(
      message.starts_with("unknown optimisation to leave out \"fuse_row\"; known: merge_scans,"))
      << message;
  EXPECT_TRUE(message.ends_with("did you mean \"fuse_rows\"?")) << message;
  EXPECT_NE(message.find("block_products, copy_blocks,"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { open_reference()->compile(product(), options); }),
            "device reference has no optimisations to leave out, as \"fuse_row\"");
}

}  // namespace
}  // namespace tenon::backends
