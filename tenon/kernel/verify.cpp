#include "tenon/base/error.h"
#include "tenon/kernel/builder.h"
#include "tenon/kernel/operands.h"
#include "tenon/kernel/types.h"

namespace tenon::kernel {

namespace {

bool is_identifier(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

// A set of element positions, first ... last; none if nothing is touched.
struct Span {
  std::int64_t first = 0, last = 0;
};

class Verifier {
 public:
  explicit Verifier(const Kernel& kernel)
      : kernel_(kernel), state_(kernel.values.size()), integers_(kernel.values.size()) {}

  void run() {
    expect(is_identifier(kernel_.name), "'{}' is not an identifier", kernel_.name);
    expect(kernel_.grid >= 0 && kernel_.team >= 1, "a grid of {} with a team of {}", kernel_.grid,
           kernel_.team);
    bool shared_seen = false;
    for (const Buffer& buffer : kernel_.buffers) {
      expect(is_identifier(buffer.name), "buffer name '{}' is not an identifier", buffer.name);
      const bool is_shared = buffer.space == Space::shared;
      expect(is_shared || !shared_seen, "argument {} stands after a shared buffer", buffer.name);
      shared_seen = shared_seen || is_shared;
    }
    expect(kernel_.body.arguments.size() == 1, "the body takes {} values, not the instance alone",
           kernel_.body.arguments.size());
    expect(kernel_.type(kernel_.body.arguments[0]) == TileType{DType::i64, 1, 1},
           "the instance has type {}", to_string(kernel_.type(kernel_.body.arguments[0])));
    walk(kernel_.body);
  }

 private:
  enum class State : std::uint8_t { undefined, visible, ended };

  template <class... Args>
  void expect(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (condition) return;
    check(false, "kernel {}: {}\n{}", kernel_.name,
          fmt::format(format, std::forward<Args>(args)...), print_if_possible());
  }
  std::string print_if_possible() const {
    for (const Statement& statement : kernel_.body.statements)
      if (!can_print(statement)) return "(it cannot be printed)";
    return print(kernel_);
  }
  bool can_print(const Statement& statement) const {
    bool possible = true;
    const auto known = [&](BufferId id) { possible &= id.index < kernel_.buffers.size(); };
    if (const auto* load = std::get_if<Load>(&statement.instruction)) known(load->access.buffer);
    if (const auto* store = std::get_if<Store>(&statement.instruction)) known(store->access.buffer);
    if (const auto* load = std::get_if<LoadIndexed>(&statement.instruction)) known(load->buffer);
    if (const auto* store = std::get_if<StoreIndexed>(&statement.instruction)) known(store->buffer);
    if (const auto* node = std::get_if<Contract>(&statement.instruction)) {
      known(node->lhs);
      known(node->rhs);
    }
    for (const ValueId result : statement.results) possible &= result.index < kernel_.values.size();
    if (const auto* loop = std::get_if<Loop>(&statement.instruction))
      possible &= loop->body.arguments.size() == loop->initial.size() + 1;
    if (const Block* body = body_of(statement.instruction))
      for (const Statement& inner : body->statements) possible = possible && can_print(inner);
    return possible;
  }

  void define(ValueId value) {
    expect(value.index < kernel_.values.size(), "%{} has no type", value.index);
    expect(state_[value.index] == State::undefined, "%{} is defined twice", value.index);
    state_[value.index] = State::visible;
  }
  void use(ValueId value) const {
    expect(value.index < kernel_.values.size() && state_[value.index] == State::visible,
           "%{} is used where it is not defined", value.index);
  }

  void walk(const Block& block) {
    for (const ValueId argument : block.arguments) define(argument);
    std::vector<ValueId> local = block.arguments;
    for (const Statement& statement : block.statements) {
      for_each_operand(statement.instruction, [this](ValueId value) { use(value); });
      if (const Block* body = body_of(statement.instruction)) walk(*body);
      std::vector<TileType> types;
      try {
        types = infer_types(kernel_, statement.instruction);
      } catch (const InternalError& error) {
        throw InternalError(fmt::format("{}\n{}", error.what(), print_if_possible()));
      }
      expect(types.size() == statement.results.size(), "a statement with {} results defines {}",
             types.size(), statement.results.size());
      for (std::size_t i = 0; i < types.size(); ++i) {
        define(statement.results[i]);
        expect(kernel_.type(statement.results[i]) == types[i], "%{} is {}, but has type {}",
               statement.results[i].index, to_string(types[i]),
               to_string(kernel_.type(statement.results[i])));
        local.push_back(statement.results[i]);
      }
      if (const auto* literal = std::get_if<Literal>(&statement.instruction))
        if (literal->dtype == DType::i64)
          integers_[statement.results[0].index] = static_cast<std::int64_t>(literal->bits);
      check_places(statement.instruction);
    }
    for (const ValueId value : block.yields) use(value);
    // What a body defines is not visible behind it.
    if (&block != &kernel_.body)
      for (const ValueId value : local) state_[value.index] = State::ended;
  }

  void check_places(const Instruction& instruction) const {
    if (const auto* load = std::get_if<Load>(&instruction)) check_access(load->access);
    if (const auto* store = std::get_if<Store>(&instruction)) check_access(store->access);
    if (const auto* node = std::get_if<Contract>(&instruction)) {
      check_rectangle(node->lhs, node->lhs_offset, node->active_rows, node->lhs_row_stride,
                      node->depth, node->lhs_depth_stride);
      check_rectangle(node->rhs, node->rhs_offset, node->depth, node->rhs_depth_stride,
                      node->active_lanes, node->rhs_lane_stride);
    }
  }
  void check_access(const Access& access) const {
    check_rectangle(access.buffer, access.offset, access.active_rows, access.row_stride,
                    access.active_lanes, access.lane_stride);
  }
  void check_rectangle(BufferId id, ValueId offset, std::int64_t rows, std::int64_t row_stride,
                       std::int64_t lanes, std::int64_t lane_stride) const {
    if (rows == 0 || lanes == 0) return;
    Span span;
    for (const auto& [extent, stride] : {std::pair{rows, row_stride}, {lanes, lane_stride}})
      (stride < 0 ? span.first : span.last) += (extent - 1) * stride;
    const Buffer& buffer = kernel_.buffers[id.index];
    // Wherever it starts, a rectangle larger than its buffer does not fit.
    expect(span.last - span.first < buffer.elements, "an access of {} elements of {}, which has {}",
           span.last - span.first + 1, buffer.name, buffer.elements);
    const auto start = integers_[offset.index];
    if (!start) return;
    expect(*start + span.first >= 0 && *start + span.last < buffer.elements,
           "an access to elements {} to {} of {}, which has {}", *start + span.first,
           *start + span.last, buffer.name, buffer.elements);
  }

  const Kernel& kernel_;
  std::vector<State> state_;  // of each value
  std::vector<std::optional<std::int64_t>> integers_;
};

}  // namespace

void verify(const Kernel& kernel) { Verifier(kernel).run(); }

}  // namespace tenon::kernel
