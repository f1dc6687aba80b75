#include "tenon/backends/cpu/source.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "tenon/base/interruption.h"
#include "tenon/base/variant.h"
#include "tenon/codegen/emit.h"
#include "tenon/kernel/work.h"

namespace tenon::backends {

namespace {

using schedule::BufferRef;
using schedule::Place;
using schedule::Plan;
using schedule::PlanBuffer;
using schedule::PlanStep;

// Below this much work on one thread, waking others costs more than they save.
constexpr double kParallelNanoseconds = 20000;
// Text that compilers read quickly.
constexpr std::int64_t kLongestConstant = 64 * 1024;
constexpr std::int64_t kAllConstants = 256 * 1024;
// Files compile side by side: a text longer than the first is cut into parts of at least the
// second.
constexpr std::size_t kLongestFile = 24 * 1024;
constexpr std::size_t kPartLength = 12 * 1024;

constexpr std::string_view kKernelParameters = "(void* const*, int64_t, int64_t)";

std::string comment_text(std::string_view text) {
  std::string safe(text);
  for (char& c : safe)
    if (static_cast<unsigned char>(c) < ' ' || c == '\\') c = '?';
  return safe;
}

class EntryPrinter {
 public:
  EntryPrinter(const Plan& plan, bool has_parts, bool marks, bool is_all_parallel)
      : plan_(plan),
        has_parts_(has_parts),
        marks_(marks),
        least_work_(is_all_parallel ? 0 : kParallelNanoseconds) {
    choose_constants();
  }

  std::string print() {
    print_constants();
    line("// One step: updates the state in place and writes the results. 0 on success.");
    line("__attribute__((visibility(\"default\")))");
    line(
        "int tenon_step(const TenonRuntime* runtime, void* const* state, const void* const* "
        "inputs,");
    line("               void* const* results, void* arena) {");
    depth_ = 1;
    line("unsigned char* const memory = (unsigned char*)arena;");
    line("(void)runtime, (void)state, (void)inputs, (void)results, (void)memory;");
    print_steps(plan_.steps);
    line("return 0;");
    depth_ = 0;
    line("}");
    return std::move(text_);
  }

  const std::vector<std::uint32_t>& passed_constants() const { return passed_; }
  bool uses_threads() const { return uses_threads_; }
  std::vector<LaunchInfo>& launches() { return launches_; }

 private:
  void choose_constants() {
    std::int64_t total = 0;
    for (std::uint32_t i = 0; i < plan_.constants.size(); ++i) {
      const auto bytes = static_cast<std::int64_t>(plan_.constants[i].bytes().size());
      const bool fits = bytes <= kLongestConstant && total + bytes <= kAllConstants;
      if (fits) {
        constant_texts_.push_back(fmt::format("(void*)constant_{}", i));
        total += bytes;
      } else {
        constant_texts_.push_back(fmt::format("(void*)runtime->constants[{}]", passed_.size()));
        passed_.push_back(i);
      }
    }
  }

  void print_constants() {
    for (std::uint32_t i = 0; i < plan_.constants.size(); ++i) {
      if (std::ranges::find(passed_, i) != passed_.end()) continue;
      const HostTensor& tensor = plan_.constants[i];
      line(fmt::format("// {}", tensor.type()));
      std::string words;
      const auto bytes = tensor.bytes();
      for (std::size_t at = 0; at < bytes.size() || at == 0; at += 8) {
        std::uint64_t word = 0;
        if (at < bytes.size())
          std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
        if (at > 0) words += at % 32 == 0 ? ",\n    " : ", ";
        words += fmt::format("{:#018x}", word);
      }
      // Not const, and used: gcc 12 copies a known value whose last words are zero, such as
      // {1, 1, 0, 0}, as if its first word were in all of them.
      line(
          fmt::format("static uint64_t constant_{}[] __attribute__((aligned(64), used)) = {{\n"
                      "    {}}};\n",
                      i, words));
    }
  }

  // The address as a C expression of type (unsigned) pointer.
  std::string address(const BufferRef& ref) const {
    const PlanBuffer& buffer = plan_.buffers[ref.buffer];
    std::int64_t offset = ref.offset;
    std::string text;
    switch (buffer.place) {
      case Place::state: text = fmt::format("state[{}]", buffer.index); break;
      case Place::input: text = fmt::format("(void*)inputs[{}]", buffer.index); break;
      case Place::result: text = fmt::format("results[{}]", buffer.index); break;
      case Place::constant: text = constant_texts_[buffer.index]; break;
      case Place::arena:
        text = "memory";
        offset += buffer.offset;
        break;
    }
    const bool is_moved = offset != 0 || std::ranges::any_of(ref.strides, [](std::int64_t stride) {
                            return stride != 0;
                          });
    if (is_moved && buffer.place != Place::arena) text.insert(0, "(unsigned char*)");
    if (offset != 0) text += fmt::format(" + {}", offset);
    for (std::size_t i = 0; i < ref.strides.size(); ++i)
      if (ref.strides[i] != 0) text += fmt::format(" + i{} * {}", i, ref.strides[i]);
    return text;
  }

  std::string name(const BufferRef& ref) const {
    return comment_text(plan_.buffers[ref.buffer].name);
  }

  void line(std::string_view content) {
    text_.append(2 * static_cast<std::size_t>(depth_), ' ');
    text_ += content;
    text_ += '\n';
  }
  void open(std::string_view content) {
    line(content);
    ++depth_;
  }
  void close(std::string_view content = "}") {
    --depth_;
    line(content);
  }

  void print_launch(const schedule::Launch& launch) {
    const kernel::Kernel& kernel = plan_.kernels[launch.kernel];
    if (kernel.grid == 0) return;
    std::string read, written, addresses;
    for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
      std::string& names = kernel.buffers[i].is_written ? written : read;
      if (!names.empty()) names += ", ";
      names += name(launch.arguments[i]);
      if (i > 0) addresses += ", ";
      addresses += address(launch.arguments[i]);
    }
    const std::string function = has_parts_ ? fmt::format("tenon_{}", kernel.name) : kernel.name;
    open(fmt::format("{{  // {} -> {}", read, written));
    line(fmt::format("void* const arguments[] = {{{}}};", addresses));
    const bool is_parallel = kernel.grid > 1 && kernel.cost >= least_work_;
    if (is_parallel) {
      uses_threads_ = true;
      line(fmt::format("runtime->parallel(runtime, {}, arguments, {});", function, kernel.grid));
    } else {
      line(fmt::format("{}(arguments, 0, {});", function, kernel.grid));
    }
    if (marks_) {
      const auto [known, is_new] = work_.try_emplace(launch.kernel);
      if (is_new) known->second = kernel::count_work(kernel);
      const kernel::Work& work = known->second;
      mark({kernel.name, read, written, work.flops, work.bytes, is_parallel});
    }
    close();
  }

  void mark(LaunchInfo info) {
    line(fmt::format("runtime->mark(runtime, {});", launches_.size()));
    launches_.push_back(std::move(info));
  }

  void print_steps(const std::vector<PlanStep>& steps) {
    for (const PlanStep& step : steps) {
      interruption_point();
      std::visit(
          cases{[&](const schedule::Launch& launch) { print_launch(launch); },
                [&](const schedule::Copy& copy) {
                  line(fmt::format("memcpy({}, {}, {});  // {} -> {}", address(copy.to),
                                   address(copy.from), copy.bytes, name(copy.from), name(copy.to)));
                  if (marks_)
                    mark({"copy", name(copy.from), name(copy.to), 0,
                          2 * static_cast<double>(copy.bytes), false});
                },
                [&](const schedule::Repeat& loop) { print_repeat(loop); },
                [&](const schedule::RepeatWhile& loop) {
                  open("for (;;) {");
                  print_steps(loop.condition);
                  line(fmt::format("if (!*(const unsigned char*)({})) break;", address(loop.flag)));
                  print_steps(loop.body);
                  close();
                },
                [&](const schedule::Branch& branch) {
                  open(fmt::format("if (*(const unsigned char*)({})) {{", address(branch.flag)));
                  print_steps(branch.on_true);
                  close("} else {");
                  ++depth_;
                  print_steps(branch.on_false);
                  close();
                }},
          step.step);
    }
  }

  void print_repeat(const schedule::Repeat& loop) {
    const std::string i = fmt::format("i{}", repeats_++);
    open(loop.reverse
             ? fmt::format("for (int64_t {0} = {1} - 1; {0} >= 0; --{0}) {{", i, loop.count)
             : fmt::format("for (int64_t {0} = 0; {0} < {1}; ++{0}) {{", i, loop.count));
    line(fmt::format("(void){};", i));
    print_steps(loop.body);
    close();
    --repeats_;
  }

  const Plan& plan_;
  const bool has_parts_;
  const bool marks_;
  const double least_work_;  // in nanoseconds, of a kernel that runs on several threads
  std::vector<LaunchInfo> launches_;
  std::map<std::uint32_t, kernel::Work> work_;  // of a kernel
  std::vector<std::string> constant_texts_;     // address of each plan constant
  std::vector<std::uint32_t> passed_;
  bool uses_threads_ = false;
  std::string text_;
  int depth_ = 0;
  int repeats_ = 0;  // Repeats around the current step
};

// The kernels of one part, under names that other files can call: their own is private to the file.
std::string print_part(std::span<const kernel::Kernel> kernels,
                       std::span<const std::string> texts) {
  std::string part = codegen::c_prelude(kernels);
  for (std::size_t i = 0; i < kernels.size(); ++i)
    part += fmt::format("\n{}void tenon_{}{} __attribute__((alias(\"{}\")));\n", texts[i],
                        kernels[i].name, kKernelParameters, kernels[i].name);
  return part;
}

}  // namespace

Source print_source(const Plan& plan, const SourceOptions& options) {
  const std::span<const kernel::Kernel> kernels = plan.kernels;
  std::vector<std::string> texts;
  std::size_t length = 0;
  for (const kernel::Kernel& kernel : kernels) {
    interruption_point();
    texts.push_back(codegen::emit_c(kernel, options.kernels));
    length += texts.back().size();
  }
  const bool has_parts = kernels.size() > 1 && length > kLongestFile;
  EntryPrinter entry(plan, has_parts, options.marks, options.is_all_parallel);
  Source source;
  std::string first = codegen::c_prelude(has_parts ? std::span<const kernel::Kernel>{} : kernels);
  first += '\n';
  // Kernels stay functions of their own: merged into the entry they would compile slowly.
  for (const kernel::Kernel& kernel : kernels)
    first += has_parts ? fmt::format("void tenon_{}{};\n", kernel.name, kKernelParameters)
                       : fmt::format("static void {}{} __attribute__((noinline));\n", kernel.name,
                                     kKernelParameters);
  if (!has_parts)
    for (const std::string& text : texts) first += '\n' + text;
  first += '\n';
  first += entry.print();
  source.files.push_back(std::move(first));
  if (has_parts)
    for (std::size_t begin = 0, end = 0; begin < kernels.size(); begin = end) {
      std::size_t part_length = 0;
      while (end < kernels.size() && part_length < kPartLength) part_length += texts[end++].size();
      source.files.push_back(print_part(kernels.subspan(begin, end - begin),
                                        std::span(texts).subspan(begin, end - begin)));
    }
  source.passed_constants = entry.passed_constants();
  source.uses_threads = entry.uses_threads();
  source.launches = std::move(entry.launches());
  return source;
}

}  // namespace tenon::backends
