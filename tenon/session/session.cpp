#include "tenon/session/session.h"

#include <unordered_map>

#include "tenon/ir/print.h"
#include "tenon/passes/precision.h"
#include "tenon/session/program.h"
#include "tenon/session/recompute.h"

namespace tenon {

struct CompiledStep::State {
  std::vector<ir::Input> placeholders;
  Session* session = nullptr;
  std::shared_ptr<backends::Executable> executable;
  std::unique_ptr<backends::Step> step;
  backends::CompileReport report;
  std::vector<TensorType> fetch_types;
  std::vector<std::string> prints;
  std::vector<backends::Buffer> all_results;    // fetches and printed values, if there are prints
  std::vector<backends::Buffer> input_buffers;  // for runs from host tensors
  std::vector<backends::Buffer*> input_pointers;
  std::vector<backends::Buffer> results;
};

CompiledStep::CompiledStep(std::unique_ptr<State> state) : state_(std::move(state)) {}
CompiledStep::~CompiledStep() = default;
CompiledStep::CompiledStep(CompiledStep&&) noexcept = default;
CompiledStep& CompiledStep::operator=(CompiledStep&&) noexcept = default;

std::size_t CompiledStep::input_count() const { return state_->placeholders.size(); }
std::size_t CompiledStep::fetch_count() const { return state_->fetch_types.size(); }
const TensorType& CompiledStep::input_type(std::size_t index) const {
  return state_->placeholders[index].type;
}
const TensorType& CompiledStep::fetch_type(std::size_t index) const {
  return state_->fetch_types[index];
}
const backends::MemoryReport& CompiledStep::memory() const { return state_->executable->memory(); }
const backends::CompileReport& CompiledStep::report() const { return state_->report; }
std::string CompiledStep::text(std::string_view stage) const {
  return state_->executable->text(stage);
}

std::span<const backends::LaunchInfo> CompiledStep::launches() const {
  return state_->executable->launches();
}
std::span<const backends::LaunchTime> CompiledStep::launch_times() const {
  return state_->step->launch_times();
}
std::span<const backends::LaunchEvent> CompiledStep::last_launches() const {
  return state_->step->last_launches();
}

void CompiledStep::run(std::span<backends::Buffer* const> inputs,
                       std::span<backends::Buffer> results) {
  State& state = *state_;
  if (state.prints.empty()) {
    state.step->run(inputs, results).wait();
    return;
  }
  state.all_results.resize(results.size() + state.prints.size());
  std::ranges::move(results, state.all_results.begin());
  const auto give_back = [&] {
    std::move(state.all_results.begin(),
              state.all_results.begin() + static_cast<std::ptrdiff_t>(results.size()),
              results.begin());
  };
  try {
    state.step->run(inputs, state.all_results).wait();
  } catch (...) {
    give_back();
    throw;
  }
  give_back();
  for (std::size_t i = 0; i < state.prints.size(); ++i)
    state.session->print(state.prints[i],
                         state.session->download(state.all_results[results.size() + i]));
}

void CompiledStep::run_many(std::span<backends::Buffer* const> inputs, std::size_t moving,
                            std::int64_t count, std::span<backends::Buffer> results) {
  require(state_->prints.empty(), "run_many: the step prints, and so runs one at a time");
  state_->step->run_many(inputs, moving, count, results).wait();
}

std::vector<HostTensor> CompiledStep::run(std::span<const HostView> inputs) {
  State& state = *state_;
  require(inputs.size() == input_count(), "the step takes {} inputs, {} were given", input_count(),
          inputs.size());
  backends::Backend& backend = state.session->backend();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ir::Input& expected = state.placeholders[i];
    require(inputs[i].type == expected.type, "feed of \"{}\": expected {}, got {}", expected.name,
            expected.type, inputs[i].type);
    if (state.input_buffers.size() <= i) {
      state.input_buffers.push_back(backend.allocate({expected.type, {}}));
      state.input_pointers.clear();
    }
    backend.lend(state.input_buffers[i], inputs[i]).wait();
  }
  if (state.input_pointers.size() != inputs.size()) {
    state.input_pointers.clear();
    for (backends::Buffer& buffer : state.input_buffers) state.input_pointers.push_back(&buffer);
  }
  run(state.input_pointers, state.results);
  std::vector<HostTensor> fetched;
  for (const backends::Buffer& result : state.results)
    fetched.push_back(state.session->download(result));
  return fetched;
}

const Tensor& Arguments::operator[](std::size_t index) const {
  require(index < tensors_.size(), "the function uses argument {}, it was called with {}", index,
          tensors_.size());
  return tensors_[index];
}

Function::Function(Session& session, Body body, std::optional<std::size_t> argument_count,
                   const StepOptions& options)
    : session_(&session),
      body_(std::move(body)),
      argument_count_(argument_count),
      options_(options) {}

CompiledStep& Function::compiled(std::span<const TensorType> types) {
  require(!argument_count_ || types.size() == *argument_count_,
          "the function takes {} arguments, {} given", argument_count_.value_or(0), types.size());
  for (auto& [known, step] : compiled_)
    if (std::ranges::equal(known, types)) return *step;
  std::vector<Tensor> placeholders;
  for (std::size_t i = 0; i < types.size(); ++i)
    placeholders.push_back(placeholder(fmt::format("argument_{}", i), types[i]));
  const StepResult result = body_(Arguments(placeholders));
  compiled_.emplace_back(
      std::vector<TensorType>(types.begin(), types.end()),
      std::make_unique<CompiledStep>(session_->compile(placeholders, result, options_)));
  return *compiled_.back().second;
}

std::vector<HostTensor> Function::operator()(std::span<const HostTensor> arguments) {
  std::vector<TensorType> types;
  for (const HostTensor& argument : arguments) types.push_back(argument.type());
  std::vector<HostView> views(arguments.begin(), arguments.end());
  return compiled(types).run(views);
}

struct Session::Cache {
  // Keyed by the variable's identity; node addresses are stable, so bound steps may keep them.
  std::unordered_map<std::uint64_t, std::pair<Variable, backends::Buffer>> buffers;
  struct Entry {
    Program program;
    std::unique_ptr<CompiledStep> step;
  };
  std::unordered_multimap<std::uint64_t, Entry> steps;  // of run(fetches), by graph hash
  // By the digest of their graphs, which may be as large as a small model's memory.
  std::unordered_map<std::string, std::shared_ptr<backends::Executable>> executables;
};

Session::Session(std::string_view device, SessionOptions options)
    : options_(std::move(options)),
      backend_(backends::open(device, {options_.threads, options_.cache_folder, false})),
      cache_(std::make_unique<Cache>()) {}
Session::~Session() = default;

backends::Buffer& Session::buffer_of(const Variable& variable) {
  const auto found = cache_->buffers.find(variable.id());
  if (found != cache_->buffers.end()) return found->second.second;
  return hold(variable, variable.initial_value(options_.seed));
}

// Of a variable that has no buffer yet: steps that are bound keep the address of its memory.
backends::Buffer& Session::hold(const Variable& variable, HostTensor value) {
  backends::Buffer buffer = backend_->adopt(std::move(value));
  return cache_->buffers.emplace(variable.id(), std::pair(variable, std::move(buffer)))
      .first->second.second;
}

backends::Buffer Session::upload(const HostView& value) {
  backends::Buffer buffer = backend_->allocate({value.type, {}});
  backend_->write(buffer, value).wait();
  return buffer;
}

HostTensor Session::download(const backends::Buffer& buffer) {
  HostTensor value(buffer.type());
  backend_->read(buffer, value).wait();
  return value;
}

void Session::print(std::string_view label, const HostTensor& value) const {
  const std::string text = fmt::format("{} = {}", label, to_string(value));
  if (options_.print)
    options_.print(text);
  else
    fmt::print("{}\n", text);
}

HostTensor Session::read(const Variable& variable) { return download(buffer_of(variable)); }

void Session::read(const Variable& variable, const HostSpan& to) {
  require(to.type == variable.type(), "variable \"{}\" holds {}, it is to be read as {}",
          variable.name(), variable.type(), to.type);
  backend_->read(buffer_of(variable), to).wait();
}

void Session::write(const Variable& variable, const HostView& value) {
  require(value.type == variable.type(), "variable \"{}\" holds {}, the new value is {}",
          variable.name(), variable.type(), value.type);
  if (has(variable))
    backend_->write(buffer_of(variable), value).wait();
  else
    hold(variable, copy_of(value));
}

void Session::write(const Variable& variable, HostTensor&& value) {
  if (has(variable) || value.type() != variable.type()) return write(variable, HostView(value));
  hold(variable, std::move(value));
}

bool Session::has(const Variable& variable) const {
  return cache_->buffers.contains(variable.id());
}

namespace {

// The program under a policy; the optimizer's own state, and what depends on it, stays in f32.
void apply_precision(Program& program, PrecisionPolicy precision) {
  if (precision == PrecisionPolicy::f32) return;
  passes::PassOptions options;
  options.context.precision = precision;
  for (std::size_t i = 0; i < program.variables.size(); ++i)
    if (program.variables[i].kind() == VariableKind::optimizer)
      options.context.optimizer_inputs.push_back(
          static_cast<std::uint32_t>(program.placeholders + i));
  program.graph =
      passes::run_passes(std::move(program.graph), options, passes::precision_passes()).graph;
}

}  // namespace

Program Session::program(std::span<const Tensor> placeholders, const StepResult& result,
                         const StepOptions& options) {
  Program program = make_program(result.fetches, result.updates, placeholders);
  apply_precision(program, options.precision);
  apply_recompute(program, options, *backend_);
  return program;
}

ir::Graph Session::graph(std::span<const Tensor> placeholders, const StepResult& result,
                         const StepOptions& options) {
  return program(placeholders, result, options).graph;
}

backends::StepMemory Session::plan(std::span<const Tensor> placeholders, const StepResult& result,
                                   const StepOptions& options) {
  backends::CompileOptions compile_options;
  compile_options.skip = options_.skip;
  return backend_->plan(graph(placeholders, result, options), compile_options);
}

CompiledStep Session::compile(std::span<const Tensor> placeholders, const StepResult& result,
                              const StepOptions& options) {
  return compile(program(placeholders, result, options));
}

CompiledStep Session::compile(Program program) {
  auto state = std::make_unique<CompiledStep::State>();
  state->session = this;
  for (std::size_t i = 0; i < program.fetches; ++i)
    state->fetch_types.push_back(program.graph.type(program.graph.outputs()[i].value));
  const auto inputs = program.graph.inputs().first(program.placeholders);
  state->placeholders.assign(inputs.begin(), inputs.end());
  const std::string digest = ir::digest(program.graph);
  std::shared_ptr<backends::Executable>& executable = cache_->executables[digest];
  if (!executable) {
    backends::CompileOptions options;
    options.digest = digest;
    options.threads = options_.threads;
    options.log = options_.log;
    options.keep_texts = options_.keep_texts;
    options.profile = options_.profile;
    options.skip = options_.skip;
    executable = backend_->compile(std::move(program.graph), options);
  }
  program.graph = {};
  state->executable = executable;
  state->report = executable->report();
  state->report.memory_bytes = program.memory.bytes();
  std::vector<backends::Buffer*> bound;
  bound.reserve(program.variables.size());
  for (const Variable& variable : program.variables) bound.push_back(&buffer_of(variable));
  state->step = state->executable->bind(bound);
  state->results.resize(program.fetches);
  state->prints = std::move(program.prints);
  return CompiledStep(std::move(state));
}

std::vector<HostTensor> Session::run(std::span<const Tensor> fetches, std::span<const Feed> feeds,
                                     std::span<const Update> updates) {
  std::vector<Tensor> placeholders;
  std::vector<HostView> views;
  for (const auto& [tensor, value] : feeds) {
    placeholders.push_back(tensor);
    views.emplace_back(value);
  }
  const Program program = make_program(fetches, updates, placeholders);
  const std::uint64_t hash = program.graph.hash();
  const auto [first, last] = cache_->steps.equal_range(hash);
  for (auto known = first; known != last; ++known)
    if (known->second.program == program) return known->second.step->run(views);
  const StepResult result{{fetches.begin(), fetches.end()}, {updates.begin(), updates.end()}};
  auto step = std::make_unique<CompiledStep>(compile(placeholders, result));
  Cache::Entry entry{program, std::move(step)};
  return cache_->steps.emplace(hash, std::move(entry))->second.step->run(views);
}

HostTensor Session::run(const Tensor& fetch, std::span<const Feed> feeds) {
  return run(std::span(&fetch, 1), feeds, {}).front();
}

}  // namespace tenon
