#include "tenon/base/variant.h"
#include "tenon/schedule/plan.h"

namespace tenon::schedule {

namespace {

std::string place_name(const PlanBuffer& buffer) {
  switch (buffer.place) {
    case Place::state: return fmt::format("state[{}]", buffer.index);
    case Place::input: return fmt::format("input[{}]", buffer.index);
    case Place::result: return fmt::format("result[{}]", buffer.index);
    case Place::constant: return fmt::format("constant[{}]", buffer.index);
    case Place::arena: return fmt::format("arena + {}", buffer.offset);
  }
  return {};
}

class PlanPrinter {
 public:
  explicit PlanPrinter(const Plan& plan) : plan_(plan) {}

  std::string print() {
    text_ = fmt::format("plan: {} kernels, arena {} bytes, at least {} alive at once\n",
                        plan_.kernels.size(), plan_.arena_bytes, plan_.live_bytes);
    text_ += "buffers:\n";
    for (std::size_t i = 0; i < plan_.buffers.size(); ++i) {
      const PlanBuffer& buffer = plan_.buffers[i];
      text_ +=
          fmt::format("  b{} {}: {} bytes, {}\n", i, buffer.name, buffer.bytes, place_name(buffer));
    }
    text_ += "steps:\n";
    print_steps(plan_.steps, 1);
    return std::move(text_);
  }

 private:
  std::string reference(const BufferRef& ref) const {
    std::string text = fmt::format("b{}", ref.buffer);
    if (ref.offset != 0) text += fmt::format(" + {}", ref.offset);
    for (std::size_t i = 0; i < ref.strides.size(); ++i)
      if (ref.strides[i] != 0) text += fmt::format(" + {} * i{}", ref.strides[i], i);
    return text;
  }

  void line(int depth, std::string_view content) {
    text_.append(2 * static_cast<std::size_t>(depth), ' ');
    text_ += content;
    text_ += '\n';
  }

  std::string launch_text(const Launch& launch) const {
    const kernel::Kernel& kernel = plan_.kernels[launch.kernel];
    std::string read, written;
    for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
      std::string& list = kernel.buffers[i].is_written ? written : read;
      if (!list.empty()) list += ", ";
      list += reference(launch.arguments[i]);
    }
    return fmt::format("{} = {}({}), grid {}", written, kernel.name, read, kernel.grid);
  }

  void print_steps(const std::vector<PlanStep>& steps, int depth) {
    for (const PlanStep& step : steps)
      std::visit(cases{[&](const Launch& launch) { line(depth, launch_text(launch)); },
                       [&](const Copy& copy) {
                         line(depth, fmt::format("{} = copy({}), {} bytes", reference(copy.to),
                                                 reference(copy.from), copy.bytes));
                       },
                       [&](const Repeat& loop) {
                         line(depth,
                              fmt::format("repeat {} times{}, i{}:", loop.count,
                                          loop.reverse ? " from last to first" : "", repeats_));
                         ++repeats_;
                         print_steps(loop.body, depth + 1);
                         --repeats_;
                       },
                       [&](const RepeatWhile& loop) {
                         line(depth, "repeat:");
                         print_steps(loop.condition, depth + 1);
                         line(depth, fmt::format("while {}:", reference(loop.flag)));
                         print_steps(loop.body, depth + 1);
                       },
                       [&](const Branch& branch) {
                         line(depth, fmt::format("if {}:", reference(branch.flag)));
                         print_steps(branch.on_true, depth + 1);
                         line(depth, "else:");
                         print_steps(branch.on_false, depth + 1);
                       }},
                 step.step);
  }

  const Plan& plan_;
  std::string text_;
  int repeats_ = 0;  // Repeats around the current step
};

}  // namespace

std::string print(const Plan& plan) { return PlanPrinter(plan).print(); }

}  // namespace tenon::schedule
