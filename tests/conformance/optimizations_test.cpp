// The cpu backend agrees with the reference whichever of its optimisations are left out: one by
// one, and all at once. A case is of use for one whose absence changes the code made for it.
//   TENON_TEST_CASES=dot/ build/tests/test_conformance --gtest_filter='*Without*/fuse_rows'
// By default some of these cases run; with TENON_TEST_EVERY=1 (`make check`) all of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

#include "run_cases.h"
#include "tenon/backends/cpu/compiler.h"
#include "tenon/backends/cpu/program.h"
#include "tenon/kernel/kernel_options.h"
#include "tenon/passes/pass.h"
#include "tenon/schedule/plan_options.h"
#include "tests/backends/backends_testing.h"

namespace tenon::conformance {
namespace {

constexpr std::size_t kUsualCases = 50;

bool runs_every_case() { return std::getenv("TENON_TEST_EVERY") != nullptr; }

struct Absence {
  std::string name;
  std::vector<std::string> skip;
};
void PrintTo(const Absence& absence, std::ostream* stream) { *stream << absence.name; }

// Each optimisation; each pass that runs several times under several names; all passes, all of
// planning, all of kernels; all.
std::vector<Absence> absences() {
  std::vector<Absence> list;
  Absence passes{"passes", {}}, planning{"planning", {}}, kernels{"kernels", {}}, all{"all", {}};
  for (const std::string_view view : backends::cpu_optimizations()) {
    const std::string name(view);
    list.push_back({name, {name}});
    all.skip.push_back(name);
  }
  std::map<decltype(passes::Pass::run), std::vector<std::string>> names;
  for (const passes::Pass& pass : passes::standard_passes())
    if (!pass.is_required) names[pass.run].emplace_back(pass.name);
  for (const auto& [run, same] : names) {
    passes.skip.insert(passes.skip.end(), same.begin(), same.end());
    if (same.size() > 1) list.push_back({"every_" + same.front(), same});
  }
  for (const auto& part : schedule::plan_switches()) planning.skip.emplace_back(part.name);
  for (const auto& part : kernel::kernel_switches()) kernels.skip.emplace_back(part.name);
  list.insert(list.end(), {passes, planning, kernels, all});
  return list;
}

// What is compared is the work of Tenon; a compiler at its highest level takes several times as
// long, and has its tests in backends_test.cpp.
class QuickCompiler {
 public:
  QuickCompiler() {
    const std::filesystem::path script = folder_.path() / "cc";
    std::ofstream(script) << "#!/bin/sh\nexec " << backends::find_compiler().path.string()
                          << " \"$@\" -O1\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    variable_.emplace("TENON_CC", script.c_str());
  }

 private:
  backends::TemporaryFolder folder_;
  std::optional<backends::ScopedVariable> variable_;
};

struct KnownCase {
  Case made;
  std::vector<std::string> source;  // with all optimisations
  bool is_changed = false;          // without any, but for the choice of threads
};

constexpr std::string_view kThreads = "small_on_one_thread";

const std::vector<KnownCase>& known_cases() {
  static const std::vector<KnownCase> all = [] {
    std::vector<KnownCase> cases;
    backends::CompileOptions without_any;
    for (const std::string_view name : backends::cpu_optimizations())
      if (name != kThreads) without_any.skip.emplace_back(name);
    std::vector<Case> made = composed_cases();
    for (Case& c : kernel_cases()) made.push_back(std::move(c));
    for (Case& c : random_cases(runs_every_case() ? 120 : 60)) made.push_back(std::move(c));
    std::size_t number = 0;
    for (Case& c : all_cases())
      if (number++ % 3 == 0 || runs_every_case()) made.push_back(std::move(c));
    for (Case& c : made) {
      std::vector<std::string> source = backends::print_program(c.graph, {});
      const bool is_changed = backends::print_program(c.graph, without_any) != source;
      cases.push_back({std::move(c), std::move(source), is_changed});
    }
    return cases;
  }();
  return all;
}

std::vector<const Case*> cases_changed_without(const std::vector<std::string>& skip) {
  backends::CompileOptions options;
  options.skip = skip;
  std::vector<const Case*> changed;
  // What all together do not change, none does.
  const bool is_any = std::ranges::count(skip, kThreads) > 0;
  for (const KnownCase& known : known_cases())
    if ((is_any || known.is_changed) &&
        backends::print_program(known.made.graph, options) != known.source)
      changed.push_back(&known.made);
  return changed;
}

// So many of them, evenly.
std::vector<const Case*> some_of(const std::vector<const Case*>& cases, std::size_t count) {
  if (cases.size() <= count) return cases;
  std::vector<const Case*> some;
  for (std::size_t i = 0; i < count; ++i) some.push_back(cases[i * cases.size() / count]);
  return some;
}

class Without : public testing::TestWithParam<Absence> {};

TEST_P(Without, AgreesWithTheReference) {
  Batch whole;
  whole.skip = GetParam().skip;
  whole.cases = cases_changed_without(whole.skip);
  EXPECT_FALSE(whole.cases.empty()) << "no case needs it: the test would say nothing";
  fmt::print("{} of {} cases are compiled otherwise\n", whole.cases.size(), known_cases().size());
  if (!runs_every_case()) whole.cases = some_of(whole.cases, kUsualCases);
  // Kernels of small cases run on several threads only without this one.
  if (std::ranges::count(whole.skip, kThreads) > 0) whole.threads = {1, 2, 3, 7, 16};
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < whole.cases.size(); ++i) {
    if (i % kCasesPerProgram == 0) batches.push_back({{}, whole.skip, whole.threads});
    batches.back().cases.push_back(whole.cases[i]);
  }
  const QuickCompiler quick;
  run_batches("cpu", batches);
}

INSTANTIATE_TEST_SUITE_P(Optimization, Without, testing::ValuesIn(absences()),
                         [](const auto& absence) { return absence.param.name; });

}  // namespace
}  // namespace tenon::conformance
