#include "tests/codegen/c_math_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "tenon/codegen/c_math.h"
#include "tenon/codegen/c_math_text.h"

namespace tenon::codegen {
namespace {

std::string function_name(ScalarPair pair) {
  return fmt::format("{}_{}", info(pair.first).name, pair.second);
}
std::string conversion_name(CastPair pair) {
  return fmt::format("cast_{}_{}", pair.first, pair.second);
}

std::string loop_text(const std::string& name, DType from, DType to, int arity) {
  return fmt::format(
      "void loop_{0}(const void* vx, const void* vy, void* vr, int64_t n) {{ "
      "const {1}* x = vx; const {1}* y = vy; {2}* restrict r = vr; (void)y; "
      "for (int64_t i = 0; i < n; ++i) r[i] = tenon_{0}({3}); }}\n",
      name, c_element_type(from), c_element_type(to), arity == 1 ? "x[i]" : "x[i], y[i]");
}

constexpr std::string_view kRandomLoop =
    "void loop_random(const void* key, const void* unused, void* vr, int64_t n) { "
    "const uint32_t* k = key; uint32_t* r = vr; (void)unused; "
    "for (int64_t i = 0; i < n; ++i) r[i] = tenon_random_word(k[0], k[1], i); }\n";

std::string library_text(const std::vector<ScalarPair>& functions,
                         const std::vector<CastPair>& conversions) {
  std::string text = "#include <stdint.h>\n" + c_math_macros() + c_math(functions) +
                     c_conversions(conversions) + c_random();
  for (const ScalarPair& pair : functions)
    text += loop_text(function_name(pair), pair.second, result_type(pair.first, pair.second),
                      info(pair.first).arity);
  for (const CastPair& pair : conversions)
    text += loop_text(conversion_name(pair), pair.first, pair.second, 1);
  return text + std::string(kRandomLoop);
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void run_command(const std::string& command, const std::filesystem::path& log) {
  const std::string line = fmt::format("{} > {} 2>&1", command, log.string());
  if (std::system(line.c_str()) != 0)
    throw std::runtime_error(command + "\n" + read_text(log).substr(0, 4000));
}

// gcc knows this flag, clang does not.
bool knows_loop_report(const CompilerChoice& choice) {
  const std::string trial = "{} -fopt-info-vec-optimized -E -x c /dev/null >/dev/null 2>&1";
  return std::system(fmt::format(fmt::runtime(trial), choice.program).c_str()) == 0;
}

}  // namespace

std::vector<ScalarPair> every_function(bool floating) {
  std::vector<ScalarPair> pairs;
  for (const ScalarFunctionInfo& row : kScalarFunctions)
    for (const DType dtype : kAllDTypes)
      if (accepts(row.function, dtype) && !is_narrow_float(dtype) && is_float(dtype) == floating)
        pairs.emplace_back(row.function, dtype);
  return pairs;
}

std::vector<CastPair> every_conversion() {
  std::vector<CastPair> pairs;
  for (const DType from : kAllDTypes)
    for (const DType to : kAllDTypes) pairs.emplace_back(from, to);
  return pairs;
}

MathLibrary::MathLibrary(const std::vector<ScalarPair>& functions,
                         const std::vector<CastPair>& conversions, const CompilerChoice& choice,
                         std::string_view optimization)
    : choice_(choice), source_(library_text(functions, conversions)) {
  std::string folder = (std::filesystem::temp_directory_path() / "tenon_c_math_XXXXXX").string();
  if (!mkdtemp(folder.data())) throw std::runtime_error("no temporary folder");
  const std::filesystem::path base = folder;
  std::ofstream(base / "math.c") << source_;
  const std::string report = knows_loop_report(choice) ? "-fopt-info-vec-optimized" : "";
  run_command(fmt::format("{} -std=gnu11 {} -march={} -ffp-contract=off -fno-math-errno "
                          "-fno-trapping-math -fPIC -shared -Wall -Wextra -Werror {} -o {} {}",
                          choice.program, optimization, choice.processor, report,
                          (base / "math.so").string(), (base / "math.c").string()),
              base / "report");
  report_ = read_text(base / "report");
  run_command(fmt::format("nm -D -u --format=just-symbols {}", (base / "math.so").string()),
              base / "symbols");
  symbols_ = read_text(base / "symbols");
  library_ = dlopen((base / "math.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  std::filesystem::remove_all(base);
  if (!library_) throw std::runtime_error(dlerror());
}

MathLibrary::~MathLibrary() {
  if (library_) dlclose(library_);
}

MathLibrary::Loop MathLibrary::loop(const std::string& name) const {
  void* const symbol = dlsym(library_, ("loop_" + name).c_str());
  if (!symbol) throw std::runtime_error("no loop_" + name);
  return reinterpret_cast<Loop>(symbol);
}

void MathLibrary::call(ScalarPair function, const void* x, const void* y, void* result,
                       std::int64_t count) const {
  loop(function_name(function))(x, y, result, count);
}

void MathLibrary::convert(CastPair types, const void* x, void* result, std::int64_t count) const {
  loop(conversion_name(types))(x, nullptr, result, count);
}

void MathLibrary::random(std::uint32_t key0, std::uint32_t key1, std::uint32_t* result,
                         std::int64_t count) const {
  const std::uint32_t key[2] = {key0, key1};
  loop("random")(key, nullptr, result, count);
}

std::vector<std::string> MathLibrary::undefined_symbols() const {
  std::istringstream stream(symbols_);
  std::vector<std::string> symbols;
  for (std::string symbol; stream >> symbol;) symbols.push_back(symbol.substr(0, symbol.find('@')));
  return symbols;
}

bool MathLibrary::reports_loops() const { return knows_loop_report(choice_); }

bool MathLibrary::is_vectorized(ScalarPair function) const {
  const std::size_t start = source_.find("void loop_" + function_name(function) + "(");
  const auto line = 1 + std::count(source_.begin(), source_.begin() + start, '\n');
  std::istringstream stream(report_);
  for (std::string message; std::getline(stream, message);)
    if (message.find(fmt::format("math.c:{}:", line)) != std::string::npos &&
        message.find("loop vectorized") != std::string::npos)
      return true;
  return false;
}

const std::vector<std::unique_ptr<MathLibrary>>& float_libraries() {
  static const std::vector<std::unique_ptr<MathLibrary>> libraries = [] {
    std::vector<std::future<std::unique_ptr<MathLibrary>>> running;
    for (const CompilerChoice& choice : compiler_choices())
      running.push_back(std::async(std::launch::async, [choice] {
        return std::make_unique<MathLibrary>(every_function(true), std::vector<CastPair>{}, choice,
                                             "-O3");
      }));
    std::vector<std::unique_ptr<MathLibrary>> made;
    for (auto& one : running) made.push_back(one.get());
    return made;
  }();
  return libraries;
}

const MathLibrary& exact_library() {
  static const MathLibrary library(every_function(false), every_conversion(), {"cc", "native"},
                                   "-O2");
  return library;
}

}  // namespace tenon::codegen
