#include <set>

#include "tenon/codegen/c_math.h"
#include "tenon/codegen/c_math_text.h"
#include "tenon/codegen/cuda_printer.h"
#include "tenon/codegen/emit.h"
#include "tenon/codegen/runtime_abi.h"
#include "tenon/codegen/transpose.h"
#include "tenon/kernel/operands.h"

namespace tenon::codegen {

using namespace kernel;

namespace {

// What the kernels of a file call.
struct Needs {
  std::set<std::pair<ScalarFunction, DType>> functions;
  std::set<std::pair<DType, DType>> conversions;
  std::set<std::pair<ScalarFunction, DType>> folds;  // of whole tiles by a team
  std::set<DType> vectors;                           // accumulators: f32, f64
  std::set<DType> selects;
  bool random = false;
  bool transposes = false;

  void call(ScalarFunction f, DType dtype) {
    functions.emplace(f, is_narrow_float(dtype) ? DType::f32 : dtype);
    if (!is_narrow_float(dtype)) return;
    conversions.emplace(dtype, DType::f32);
    conversions.emplace(DType::f32, dtype);
  }
  void convert(DType from, DType to) {
    if (from != to) conversions.emplace(from, to);
  }
  void add(const Kernel& kernel, const Block& block) {
    const auto dtype_of = [&](ValueId value) { return kernel.type(value).dtype; };
    for (const Statement& statement : block.statements) {
      const Instruction& instruction = statement.instruction;
      if (const Block* body = body_of(instruction)) add(kernel, *body);
      if (const auto* node = std::get_if<Call>(&instruction))
        call(node->function, dtype_of(node->operands.front()));
      if (const auto* node = std::get_if<Cast>(&instruction))
        convert(dtype_of(node->operand), node->dtype);
      if (const auto* node = std::get_if<Select>(&instruction))
        selects.insert(dtype_of(node->on_true));
      if (std::holds_alternative<RandomWord>(instruction)) random = true;
      if (const auto* node = std::get_if<Load>(&instruction))
        transposes = transposes || is_transposed(kernel, *node);
      if (const auto* node = std::get_if<Fold>(&instruction)) {
        call(node->function, dtype_of(node->tile));
        const TileType& tile = kernel.type(node->tile);
        if (!tile.is_scalar() && tile.rows == 1 && node->axis == FoldAxis::lanes)
          folds.emplace(node->function, tile.dtype);
      }
      if (const auto* node = std::get_if<Contract>(&instruction)) {
        const DType dtype = dtype_of(node->accumulator);
        convert(kernel.buffers[node->lhs.index].dtype, dtype);
        convert(kernel.buffers[node->rhs.index].dtype, dtype);
        if (is_float(dtype)) vectors.insert(dtype);
      }
    }
  }
};

Needs needs_of(std::span<const Kernel> kernels) {
  Needs needs;
  for (const Kernel& kernel : kernels) needs.add(kernel, kernel.body);
  return needs;
}

std::string function_texts(const Needs& needs) {
  const std::vector<std::pair<DType, DType>> conversions(needs.conversions.begin(),
                                                         needs.conversions.end());
  const std::vector<std::pair<ScalarFunction, DType>> functions(needs.functions.begin(),
                                                                needs.functions.end());
  std::string text = c_conversions(conversions) + c_math(functions);
  if (needs.random) text += c_random();
  return text;
}

constexpr std::string_view kRuntime = R"c(#include <stdint.h>
#include <string.h>

typedef void (*TenonKernel)(void* const* arguments, int64_t first, int64_t last);
typedef struct TenonRuntime TenonRuntime;
struct TenonRuntime {
  uint32_t version;
  uint32_t threads;
  void* context;
  void (*parallel)(const TenonRuntime* runtime, TenonKernel kernel, void* const* arguments,
                   int64_t grid);
  const void* const* constants;
  void (*mark)(const TenonRuntime* runtime, uint32_t launch);
};

/* Before a loop: its iterations touch different memory, or the same in a harmless order. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"
#define TENON_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#define TENON_UNROLL _Pragma("clang loop unroll(full)")
#define TENON_BRANCH
#else
#define TENON_INDEPENDENT _Pragma("GCC ivdep")
#define TENON_UNROLL _Pragma("GCC unroll 64")
/* First in every branch: keeps gcc 12 from making masked stores of it, which may go wrong when the
   loops inside are unrolled (nothing was written at all). */
#define TENON_BRANCH __asm__ volatile("");
#endif

)c";

constexpr std::string_view kSelectComment =
    R"c(/* c ? x : y without a branch that a load could move into: gcc 12 masks several such loads of an
   unrolled loop by the mask of the first (wrong values with AVX-512). Still one blend. */
)c";

std::string select_definition(DType dtype) {
  if (is_float(dtype) && !is_narrow_float(dtype))
    return spell_for(dtype, R"c(TENON_INLINE $T tenon_select_$N(uint8_t c, $T x, $T y) {
  const $U mask = ($U)0 - c;
  return tenon_float_$N((tenon_bits_$N(x) & mask) | (tenon_bits_$N(y) & ~mask));
}

)c");
  return spell_for(dtype, R"c(TENON_INLINE $T tenon_select_$N(uint8_t c, $T x, $T y) {
  const $U mask = ($U)(($U)0 - c);
  return ($T)($U)((($U)x & mask) | (($U)y & ($U)~mask));
}

)c");
}

// $T float, $N f32, $M F32, $s element size, $i int32_t, $p ps, $m the mask's type.
constexpr std::string_view kVectors = R"c(/* Vectors of $T as wide as the machine's. */
#if defined(__AVX512F__)
#define TENON_$MW (64 / $s)
#elif defined(__AVX__)
#define TENON_$MW (32 / $s)
#else
#define TENON_$MW (16 / $s)
#endif
typedef $T tenon_$Nw __attribute__((vector_size(TENON_$MW * $s), aligned($s), may_alias));
/* x - 0 is x, minus zero included. */
TENON_INLINE tenon_$Nw tenon_splat_$Nw($T x) { return x - (tenon_$Nw){0}; }
/* The first `lanes`, or all if there are more; what is behind them is neither read nor written. */
#if defined(__AVX512F__)
#define tenon_mask_$Nw(lanes) (($m)((1u << (lanes)) - 1u))
#elif defined(__AVX__)
typedef $i tenon_$Nw_lanes __attribute__((vector_size(32)));
TENON_INLINE tenon_$Nw_lanes tenon_mask_$Nw(int lanes) {
  tenon_$Nw_lanes mask;
  for (int i = 0; i < TENON_$MW; ++i) mask[i] = i < lanes ? -1 : 0;
  return mask;
}
#endif
TENON_INLINE tenon_$Nw tenon_load_$Nw(const $T* from, int lanes) {
  if (lanes >= TENON_$MW) return *(const tenon_$Nw*)from;
#if defined(__AVX512F__)
  return __builtin_ia32_loadu$p512_mask((const void*)from, (tenon_$Nw){0}, tenon_mask_$Nw(lanes));
#elif defined(__AVX__)
  return __builtin_ia32_maskload$p256((const void*)from, tenon_mask_$Nw(lanes));
#else
  tenon_$Nw x = {0};
  for (int i = 0; i < lanes; ++i) x[i] = from[i];
  return x;
#endif
}
TENON_INLINE void tenon_store_$Nw($T* to, tenon_$Nw x, int lanes) {
  if (lanes >= TENON_$MW) {
    *(tenon_$Nw*)to = x;
    return;
  }
#if defined(__AVX512F__)
  __builtin_ia32_storeu$p512_mask((void*)to, x, tenon_mask_$Nw(lanes));
#elif defined(__AVX__)
  __builtin_ia32_maskstore$p256((void*)to, tenon_mask_$Nw(lanes), x);
#else
  for (int i = 0; i < lanes; ++i) to[i] = x[i];
#endif
}
/* a * b + c, rounded once in every lane. */
#if defined(__AVX512F__)
#define tenon_fma_$Nw(a, b, c) ((tenon_$Nw)__builtin_ia32_vfmadd$p512_mask(a, b, c, -1, 4))
#elif defined(__FMA__)
#define tenon_fma_$Nw(a, b, c) ((tenon_$Nw)__builtin_ia32_vfmadd$p256(a, b, c))
#else
TENON_INLINE tenon_$Nw tenon_fma_$Nw(tenon_$Nw a, tenon_$Nw b, tenon_$Nw c) {
  for (int i = 0; i < TENON_$MW; ++i) c[i] = tenon_fma_$N(a[i], b[i], c[i]);
  return c;
}
#endif

)c";

std::string vector_text(DType dtype) {
  std::string text(kVectors);
  const bool f32 = dtype == DType::f32;
  const auto replace = [&](std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  };
  replace("$T", c_element_type(dtype));
  replace("$N", name(dtype));
  replace("$M", f32 ? "F32" : "F64");
  replace("$s", f32 ? "4" : "8");
  replace("$p", f32 ? "ps" : "pd");
  replace("$i", f32 ? "int32_t" : "long long");
  replace("$m", f32 ? "unsigned short" : "unsigned char");
  return text;
}

// Loops name their row and lane whether or not a body uses them.
constexpr std::string_view kCudaTypes = R"c(#pragma nv_diag_suppress 177
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;

)c";

}  // namespace

std::string c_prelude(std::span<const Kernel> kernels) {
  const Needs needs = needs_of(kernels);
  std::string text = std::string(kRuntime) + c_math_macros();
  for (const DType dtype : needs.vectors) text += vector_text(dtype);
  if (!needs.selects.empty()) text += kSelectComment;
  for (const DType dtype : needs.selects) text += select_definition(dtype);
  if (needs.transposes) text += transpose_text();
  return text + function_texts(needs);
}

std::string cuda_prelude(std::span<const Kernel> kernels) {
  const Needs needs = needs_of(kernels);
  std::string text = std::string(kCudaTypes) + cuda_math_macros() + function_texts(needs);
  for (const auto& [function, dtype] : needs.folds) text += team_fold_text(function, dtype);
  return text;
}

}  // namespace tenon::codegen
