#include <gtest/gtest.h>

#include "tenon/base/error.h"
#include "tenon/codegen/cuda_printer.h"
#include "tenon/codegen/emit.h"
#include "tests/codegen/sample_kernels.h"
#include "tests/golden/golden.h"

namespace tenon::codegen {
namespace {

using namespace kernel;

// A whole file, as NVRTC gets it; tools/check_cuda.py compiles these golden files.
std::string cuda_file(const Kernel& kernel) {
  return cuda_prelude({&kernel, 1}) + emit_cuda(kernel);
}

TEST(EmitCuda, GoldenTexts) {
  testing::expect_golden("cuda_elementwise", cuda_file(samples::elementwise(8, 200, 64)));
  testing::expect_golden("cuda_row_softmax", cuda_file(samples::row_softmax(8, 1000, 256)));
  testing::expect_golden("cuda_layer_norm", cuda_file(samples::layer_norm(8, 200, 128)));
  testing::expect_golden("cuda_layer_norm_backward",
                         cuda_file(samples::layer_norm_backward(8, 200, 128)));
  testing::expect_golden("cuda_dense", cuda_file(samples::staged_dense(128, 128, 64, 256)));
}

TEST(EmitCuda, ThreadsShareTilesEvenly) {
  const auto map = [](std::int64_t team, std::int64_t rows, std::int64_t lanes) {
    const TeamMapping m = team_mapping(team, {rows, lanes});
    return fmt::format("{} x {} threads, {} x {} registers", m.row_threads, m.lane_threads,
                       m.row_registers, m.lane_registers);
  };
  EXPECT_EQ(map(256, 1, 1000), "1 x 256 threads, 1 x 4 registers");
  EXPECT_EQ(map(256, 64, 64), "16 x 16 threads, 4 x 4 registers");
  EXPECT_EQ(map(128, 64, 64), "8 x 16 threads, 8 x 4 registers");
  EXPECT_EQ(map(256, 64, 1), "64 x 4 threads, 1 x 1 registers");
  EXPECT_EQ(map(32, 3, 40), "4 x 8 threads, 1 x 5 registers");
}

TEST(EmitCuda, RefusesTeamsThatAreNotWholeWarps) {
  try {
    emit_cuda(samples::row_softmax(8, 100, 48));
    FAIL();
  } catch (const InternalError& error) {
    EXPECT_STREQ(error.what(),
                 "internal error (please report it): kernel row_softmax: a team of 48 is not a "
                 "multiple of 32 up to 1024");
  }
}

}  // namespace
}  // namespace tenon::codegen
