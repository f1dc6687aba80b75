// The C text of the scalar functions compiled by several compilers, and called on arrays.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tenon/base/dtype.h"
#include "tenon/base/scalar_function.h"
#include "tests/codegen/compiled_kernels.h"

namespace tenon::codegen {

using ScalarPair = std::pair<ScalarFunction, DType>;
using CastPair = std::pair<DType, DType>;

// Of the element types that kernels compute in: all but f16 and bf16.
std::vector<ScalarPair> every_function(bool floating);
std::vector<CastPair> every_conversion();

// One library with a loop around each function; every loop stands on one line of the C file.
class MathLibrary {
 public:
  MathLibrary(const std::vector<ScalarPair>& functions, const std::vector<CastPair>& conversions,
              const CompilerChoice& choice, std::string_view optimization);
  ~MathLibrary();
  MathLibrary(const MathLibrary&) = delete;
  MathLibrary& operator=(const MathLibrary&) = delete;

  void call(ScalarPair function, const void* x, const void* y, void* result,
            std::int64_t count) const;
  void convert(CastPair types, const void* x, void* result, std::int64_t count) const;
  // Word i of the stream of a key.
  void random(std::uint32_t key0, std::uint32_t key1, std::uint32_t* result,
              std::int64_t count) const;

  // Names that the library takes from elsewhere.
  std::vector<std::string> undefined_symbols() const;
  // Whether this compiler says which loops became vector code; gcc does.
  bool reports_loops() const;
  // Whether it says that the loop around this function did.
  bool is_vectorized(ScalarPair function) const;
  const CompilerChoice& choice() const { return choice_; }

 private:
  using Loop = void (*)(const void*, const void*, void*, std::int64_t);
  Loop loop(const std::string& name) const;

  CompilerChoice choice_;
  void* library_ = nullptr;
  std::string source_;
  std::string report_;   // what the compiler said
  std::string symbols_;  // what nm said
};

// The float functions by every compiler choice.
const std::vector<std::unique_ptr<MathLibrary>>& float_libraries();
// The integer functions, conversions and random words, by cc.
const MathLibrary& exact_library();

}  // namespace tenon::codegen
