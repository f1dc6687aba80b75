#include "tenon/backends/cpu/program.h"

#include <chrono>

#include "tenon/backends/cpu/code_cache.h"
#include "tenon/backends/cpu/plan_memory.h"
#include "tenon/backends/cpu/program_record.h"
#include "tenon/backends/cpu/source.h"
#include "tenon/base/cpu_info.h"
#include "tenon/base/environment.h"
#include "tenon/base/text.h"
#include "tenon/base/unknown_name.h"
#include "tenon/base/variant.h"
#include "tenon/codegen/c_math.h"
#include "tenon/ir/print.h"
#include "tenon/passes/pass.h"
#include "tenon/schedule/plan.h"

namespace tenon::backends {

namespace {

lower::Target cpu_target(const CompileOptions& options) {
  lower::Target target;
  target.options = options_without(kernel::kernel_switches(), options.skip);
  target.kind = lower::Target::Kind::cpu;
  target.vector_bytes = std::min(cpu_info().vector_bytes, environment::vector_bytes());
  const bool is_narrowed = target.vector_bytes < cpu_info().vector_bytes;
  target.registers = is_narrowed ? 16 : cpu_info().vector_registers;
  return target;
}

// Constants print in full only where they are short.
constexpr std::int64_t kLongestPrintedConstant = 16;

// Kernels with too little work for several threads run on one.
constexpr std::string_view kSmallOnOneThread = "small_on_one_thread";

bool is_pass(std::string_view name) {
  return std::ranges::any_of(passes::standard_passes(),
                             [&](const passes::Pass& pass) { return pass.name == name; });
}

void require_known(const CompileOptions& options) {
  if (options.skip.empty()) return;
  const std::vector<std::string_view> names = cpu_optimizations();
  for (const std::string& name : options.skip)
    if (std::ranges::count(names, name) == 0)
      throw_unknown("optimisation to leave out", name, names);
}

ir::Graph run_cpu_passes(ir::Graph graph, const CompileOptions& compile_options) {
  require_known(compile_options);
  passes::PassOptions options;
  std::ranges::copy_if(compile_options.skip, std::back_inserter(options.skip), is_pass);
  options.context.keep = [](const ir::Op& op) {
    return std::holds_alternative<ir::RandomBits>(op);
  };
  options.context.widens_products = true;
  return passes::run_passes(std::move(graph), options).graph;
}

// Of all launches and copies in the order of the text, as print_source marks them.
void add_parts(const schedule::Plan& plan, const std::vector<schedule::PlanStep>& steps,
               std::vector<std::vector<LaunchInfo::Part>>& parts) {
  for (const schedule::PlanStep& step : steps)
    std::visit(cases{[&](const schedule::Launch& launch) {
                       if (plan.kernels[launch.kernel].grid == 0) return;
                       std::vector<LaunchInfo::Part>& own = parts.emplace_back();
                       for (const schedule::OriginRef& origin : launch.origins)
                         own.push_back({origin->path, origin->location});
                     },
                     [&](const schedule::Copy&) { parts.emplace_back(); },
                     [&](const schedule::Repeat& loop) { add_parts(plan, loop.body, parts); },
                     [&](const schedule::RepeatWhile& loop) {
                       add_parts(plan, loop.condition, parts);
                       add_parts(plan, loop.body, parts);
                     },
                     [&](const schedule::Branch& branch) {
                       add_parts(plan, branch.on_true, parts);
                       add_parts(plan, branch.on_false, parts);
                     }},
               step.step);
}

void name_parts(const schedule::Plan& plan, std::vector<LaunchInfo>& launches) {
  std::vector<std::vector<LaunchInfo::Part>> parts;
  add_parts(plan, plan.steps, parts);
  check(parts.size() == launches.size(), "{} launches are marked, {} are planned", launches.size(),
        parts.size());
  for (std::size_t i = 0; i < launches.size(); ++i) launches[i].parts = std::move(parts[i]);
}

schedule::Plan plan_graph(const ir::Graph& optimized, const CompileOptions& options) {
  return schedule::make_plan(optimized, cpu_target(options),
                             options_without(schedule::plan_switches(), options.skip));
}

Source print_plan(const schedule::Plan& plan, const CompileOptions& options) {
  const bool is_all_parallel = std::ranges::count(options.skip, kSmallOnOneThread) > 0;
  return print_source(plan, {options.profile, is_all_parallel, cpu_target(options).options});
}

MemoryReport memory_of(const Signature& signature, const schedule::Plan& plan) {
  MemoryReport report = signature_memory(signature);
  report.arena = plan.arena_bytes;
  for (const HostTensor& constant : plan.constants)
    report.constants += static_cast<std::int64_t>(constant.bytes().size());
  return report;
}

// What an earlier start planned and compiled; false if there is no record of it, or its code is
// gone.
bool recall(Program& program, const std::string& name, const std::filesystem::path& folder,
            const CompileOptions& options) {
  if (!reason_against_cache(folder).empty()) return false;
  const auto record = read_record(folder, name);
  if (!record) return false;
  program.library = load_code(record->code, folder, options.log);
  if (program.library == nullptr) return false;
  program.uses_threads = record->uses_threads;
  program.memory = signature_memory(program.signature);
  program.memory.arena = record->arena;
  program.memory.constants = record->constants;
  program.report.kernels = record->kernels;
  program.report.was_cached = true;
  return true;
}

// Tables that printing C makes once and that stay. Made before the plan, they lie closer together;
// made after it, each of their many strings would keep a page of what the plan leaves.
void make_lasting_tables() {
  static_cast<void>(codegen::c_math({}));
  static_cast<void>(codegen::c_conversions({}));
}

// All of the program but its code; its C.
Source plan_program(Program& program, ir::Graph graph, const CompileOptions& options) {
  make_lasting_tables();
  ir::Graph optimized = run_cpu_passes(std::move(graph), options);
  schedule::Plan plan = plan_graph(optimized, options);
  if (options.keep_texts)
    program.texts["graph"] =
        ir::print(optimized, {.longest_constant = kLongestPrintedConstant, .names = true});
  optimized = {};  // one thing less in memory while C is printed
  Source source = print_plan(plan, options);
  program.uses_threads = source.uses_threads;
  program.launches = std::move(source.launches);
  if (options.profile) name_parts(plan, program.launches);
  program.memory = memory_of(program.signature, plan);
  program.report.kernels = static_cast<std::int64_t>(plan.kernels.size());
  if (options.keep_texts) {
    program.texts["plan"] = schedule::print(plan);
    program.texts["source"] = join(source.files, "\n");
  }
  for (const std::uint32_t index : source.passed_constants)
    program.constants.push_back(std::move(plan.constants[index]));
  for (const HostTensor& constant : program.constants)
    program.constant_pointers.push_back(constant.bytes().data());
  return source;
}

void plan_and_build(Program& program, ir::Graph graph, const std::string& record,
                    const std::filesystem::path& folder, const CompileOptions& options) {
  const Source source = plan_program(program, std::move(graph), options);
  BuiltCode code = build_code(source.files, folder, options.log);
  program.library = std::move(code.library);
  program.report.was_cached = code.was_cached;
  program.report.compiler_seconds = code.compiler_seconds;
  // Constants that the code does not hold would have to be recorded too.
  if (!record.empty() && !code.entry.empty() && program.constants.empty())
    write_record(folder, record,
                 {code.entry, program.memory.arena, program.memory.constants,
                  program.report.kernels, program.uses_threads});
}

}  // namespace

std::vector<std::string_view> cpu_optimizations() {
  std::vector<std::string_view> names;
  for (const passes::Pass& pass : passes::standard_passes())
    if (!pass.is_required) names.emplace_back(pass.name);
  for (const auto& part : schedule::plan_switches()) names.push_back(part.name);
  for (const auto& part : kernel::kernel_switches()) names.push_back(part.name);
  names.emplace_back(kSmallOnOneThread);
  return names;
}

std::vector<std::string> print_program(const ir::Graph& graph, const CompileOptions& options) {
  return print_plan(plan_graph(run_cpu_passes(graph, options), options), options).files;
}

StepMemory plan_program_memory(const ir::Graph& graph, const CompileOptions& options) {
  const schedule::Plan plan = plan_graph(run_cpu_passes(graph, options), options);
  return {memory_of(make_signature(graph), plan), plan_memory(plan)};
}

std::shared_ptr<const Program> compile_program(ir::Graph graph,
                                               const std::filesystem::path& cache_folder,
                                               const CompileOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  // Settings that are no numbers are errors, whether or not this step needs them.
  environment::cache_mib();
  environment::compile_seconds();
  auto program = std::make_shared<Program>();
  program->signature = make_signature(graph);
  // Who looks at launches or texts needs the plan; records are of whole plans.
  const bool may_record = !options.profile && !options.keep_texts && options.skip.empty();
  const std::string name =
      may_record ? record_name(options.digest.empty() ? ir::digest(graph) : options.digest,
                               cpu_target(options), find_compiler())
                 : std::string();
  if (name.empty() || !recall(*program, name, cache_folder, options))
    plan_and_build(*program, std::move(graph), name, cache_folder, options);
  program->step = reinterpret_cast<codegen::StepFunction>(program->library->symbol("tenon_step"));
  program->report.code_bytes = program->library->bytes();
  program->report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return program;
}

}  // namespace tenon::backends
