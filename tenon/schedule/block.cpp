// Plans one graph: where outputs are made, in which order, and the steps themselves.
#include <utility>

#include "tenon/base/interruption.h"
#include "tenon/schedule/fusion.h"
#include "tenon/schedule/invariants.h"
#include "tenon/schedule/order.h"
#include "tenon/schedule/units.h"

namespace tenon::schedule {

namespace {

using Origin = ValueTable::Origin;

class BlockPlanner {
 public:
  BlockPlanner(PlanBuilder& builder, const ir::Graph& graph, std::vector<BufferRef> inputs,
               std::vector<BlockTarget> outputs, std::size_t depth,
               const std::vector<bool>& lasting)
      : builder_(builder),
        graph_(graph),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        depth_(depth),
        regions_(form_regions(graph, builder.options())),
        values_(graph, regions_, builder.options().rename_reshapes),
        units_(make_units(builder, graph, regions_, values_,
                          builder.options().pack_once ? lasting : std::vector<bool>())),
        made_at_(values_.size()),
        copy_to_(outputs_.size()) {}

  std::vector<PlanStep> plan() {
    place_outputs();
    order_updates();
    return emit(choose_order(order_problem(), builder_.options().order_for_memory));
  }

 private:
  std::uint32_t input_of(std::uint32_t root) const {
    const auto& parameter = std::get<ir::Parameter>(graph_.node(values_.node(root)).op);
    return static_cast<std::uint32_t>(parameter.position);
  }
  std::uint32_t output_root(std::uint32_t output) const {
    return values_.root(graph_.outputs()[output].value);
  }

  // A computed output is made in its place, the first place if there are several; updates come
  // first because their places are read by the next step, results may be read by anybody.
  void place_outputs() {
    for (const bool updates : {true, false})
      for (std::uint32_t k = 0; k < outputs_.size(); ++k) {
        const auto updated = outputs_[k].updates_input;
        if (updated.has_value() != updates) continue;
        const std::uint32_t root = output_root(k);
        const bool is_free = builder_.options().make_in_place && !made_at_[root];
        if (values_.origin(root) == Origin::computed && is_free) {
          made_at_[root] = k;
        } else if (!(updated && values_.origin(root) == Origin::parameter &&
                     input_of(root) == *updated)) {
          add_copy_to(k, root);
        }
      }
  }

  void add_copy_to(std::uint32_t output, std::uint32_t from) {
    Unit copy;
    copy.kind = Unit::Kind::copy;
    copy.from = from;
    copy.to_output = output;
    if (values_.origin(from) != Origin::constant) copy.reads = {from};
    copy_to_[output] = static_cast<std::uint32_t>(units_.size());
    units_.push_back(std::move(copy));
  }

  // The old value of a place must have been read by all before the new one is written. Where that
  // is impossible (a swap, or somebody reads both), the new value, or a copy of the old one that
  // it is, waits elsewhere for the last reader.
  void order_updates() {
    find_edges();
    for (std::uint32_t k = 0; k < outputs_.size(); ++k) {
      interruption_point();
      if (!outputs_[k].updates_input) continue;
      const std::optional<std::uint32_t> writer = writer_of(k);
      if (!writer) continue;
      const std::vector<std::uint32_t> readers = readers_[*outputs_[k].updates_input];
      const bool is_possible = may_follow(*writer, readers, *outputs_[k].updates_input);
      if (is_possible) {
        for (const std::uint32_t reader : readers)
          if (reader != *writer) add_edge(reader, *writer);
      } else {
        write_later(k, *writer, readers);
      }
    }
  }

  void find_edges() {
    producer_.assign(values_.size(), std::nullopt);
    for (std::uint32_t u = 0; u < units_.size(); ++u)
      for (const std::uint32_t value : units_[u].writes) producer_[value] = u;
    successors_.assign(units_.size(), {});
    for (std::uint32_t u = 0; u < units_.size(); ++u) {
      for (const std::uint32_t value : units_[u].reads)
        if (producer_[value] && *producer_[value] != u) successors_[*producer_[value]].push_back(u);
      for (const std::uint32_t earlier : units_[u].after) successors_[earlier].push_back(u);
    }
    readers_.resize(inputs_.size());
    for (std::uint32_t u = 0; u < units_.size(); ++u)
      for (const std::uint32_t root : units_[u].reads)
        if (values_.origin(root) == Origin::parameter) readers_[input_of(root)].push_back(u);
  }

  void add_edge(std::uint32_t earlier, std::uint32_t later) {
    units_[later].after.push_back(earlier);
    successors_[earlier].push_back(later);
  }

  std::optional<std::uint32_t> writer_of(std::uint32_t output) const {
    const std::uint32_t root = output_root(output);
    return made_at_[root] == output ? producer_[root] : copy_to_[output];
  }

  bool may_follow(std::uint32_t writer, const std::vector<std::uint32_t>& readers,
                  std::uint32_t input) const {
    std::vector<bool> is_reached(units_.size());
    std::vector<std::uint32_t> open = {writer};
    while (!open.empty()) {
      const std::uint32_t unit = open.back();
      open.pop_back();
      for (const std::uint32_t next : successors_[unit])
        if (!is_reached[next]) {
          is_reached[next] = true;
          open.push_back(next);
        }
    }
    for (const std::uint32_t reader : readers) {
      if (reader != writer && is_reached[reader]) return false;
      if (reader == writer && !may_update(units_[writer], input)) return false;
    }
    return true;
  }

  // The unit reads the input it updates.
  bool may_update(const Unit& unit, std::uint32_t input) const {
    std::optional<std::uint32_t> written, read;
    for (const std::uint32_t value : unit.writes)
      if (made_at_[value] && outputs_[*made_at_[value]].updates_input == input) written = value;
    for (const std::uint32_t root : unit.reads)
      if (values_.origin(root) == Origin::parameter && input_of(root) == input) read = root;
    return written && read && may_write_over(graph_, values_, unit, *written, *read);
  }

  void write_later(std::uint32_t output, std::uint32_t writer,
                   const std::vector<std::uint32_t>& readers) {
    std::uint32_t copy = writer;
    if (units_[writer].kind == Unit::Kind::copy) {
      save_first(writer);
    } else {
      const std::uint32_t root = output_root(output);
      made_at_[root].reset();
      copy = static_cast<std::uint32_t>(units_.size());
      add_copy_to(output, root);
      successors_.emplace_back();
      successors_[writer].push_back(copy);
    }
    for (const std::uint32_t reader : readers)
      if (reader != copy) add_edge(reader, copy);
  }

  // The copy of an input, as in a swap, is made from a copy taken earlier. Whoever had to wait for
  // the input to be read waits for that one.
  void save_first(std::uint32_t copy) {
    const std::uint32_t old = units_[copy].from;
    const std::uint32_t saved = values_.add_copy_of(old);
    const auto save = static_cast<std::uint32_t>(units_.size());
    made_at_.emplace_back();
    producer_.emplace_back(save);
    Unit unit;
    unit.kind = Unit::Kind::copy;
    unit.from = old;
    unit.reads = {old};
    unit.writes = {saved};
    units_.push_back(std::move(unit));
    if (values_.origin(old) == Origin::parameter) {
      std::vector<std::uint32_t>& readers = readers_[input_of(old)];
      std::erase(readers, copy);
      readers.push_back(save);
    }
    for (const std::uint32_t later : successors_[copy])
      std::ranges::replace(units_[later].after, copy, save);
    successors_.push_back(std::exchange(successors_[copy], {}));
    successors_[save].push_back(copy);
    units_[copy].from = saved;
    units_[copy].reads = {saved};
  }

  bool is_in_arena(std::uint32_t root) const {
    return values_.origin(root) == Origin::computed && !made_at_[root];
  }

  OrderProblem order_problem() const {
    OrderProblem problem;
    problem.bytes.resize(values_.size());
    for (std::uint32_t root = 0; root < values_.size(); ++root)
      if (is_in_arena(root)) problem.bytes[root] = values_.bytes(root);
    for (const Unit& unit : units_) {
      OrderUnit& entry =
          problem.units.emplace_back(OrderUnit{unit.reads, unit.writes, unit.after, 0});
      for (const lower::LoweredRegion& lowered : unit.kernels)
        for (const auto& argument : lowered.arguments)
          if (argument.kind == lower::LoweredRegion::Argument::Kind::scratch)
            entry.scratch += argument.bytes;
    }
    return problem;
  }

  std::vector<PlanStep> emit(const std::vector<std::uint32_t>& order) {
    places_.resize(values_.size());
    is_reusable_.resize(values_.size());
    unread_.resize(values_.size());
    for (const Unit& unit : units_)
      for (const std::uint32_t root : unit.reads) ++unread_[root];
    for (const std::uint32_t u : order) {
      const Unit& unit = units_[u];
      for (const std::uint32_t value : unit.writes) places_[value] = place_of_result(unit, value);
      switch (unit.kind) {
        case Unit::Kind::kernels: emit_kernels(unit); break;
        case Unit::Kind::control: emit_control(unit); break;
        case Unit::Kind::copy: emit_copy(unit); break;
      }
      for (const std::uint32_t root : unit.reads) --unread_[root];
    }
    return std::move(steps_);
  }

  // The place of an output, the place of an operand that dies here, or a new one.
  BufferRef place_of_result(const Unit& unit, std::uint32_t value) {
    if (made_at_[value]) return outputs_[*made_at_[value]].to;
    is_reusable_[value] = builder_.options().write_in_place;
    for (const std::uint32_t root : unit.reads) {
      if (!is_reusable_[root] || unread_[root] != 1) continue;
      if (values_.bytes(root) != values_.bytes(value)) continue;
      if (!may_write_over(graph_, values_, unit, value, root)) continue;
      is_reusable_[root] = false;
      return places_[root];
    }
    return builder_.add_buffer(values_.name(value), values_.bytes(value));
  }

  BufferRef place_of(std::uint32_t root) {
    switch (values_.origin(root)) {
      case Origin::parameter: return inputs_[input_of(root)];
      case Origin::constant:
        return builder_.constant(std::get<ir::Constant>(graph_.node(values_.node(root)).op).value);
      case Origin::computed: break;
    }
    return places_[root];
  }
  BufferRef place_of(ir::Value value) { return place_of(values_.root(value)); }

  void emit_kernels(const Unit& unit) {
    using Kind = lower::LoweredRegion::Argument::Kind;
    std::map<ir::Value, BufferRef> scratch;
    for (std::size_t i = 0; i < unit.kernels.size(); ++i) {
      Launch launch;
      launch.kernel = unit.kernel_numbers[i];
      launch.origins = unit.origins;
      for (const auto& argument : unit.kernels[i].arguments) {
        if (argument.kind != Kind::scratch) {
          launch.arguments.push_back(place_of(argument.value));
          continue;
        }
        auto [found, is_new] = scratch.try_emplace(argument.value);
        if (is_new) found->second = builder_.add_buffer("scratch", argument.bytes);
        PlanBuffer& buffer = builder_.plan.buffers[found->second.buffer];
        buffer.is_scratch = true;
        buffer.bytes = std::max(buffer.bytes, argument.bytes);
        launch.arguments.push_back(found->second);
      }
      steps_.push_back({std::move(launch)});
    }
  }

  void emit_copy(const Unit& unit) {
    add_copy(place_of(unit.from),
             unit.to_output ? outputs_[*unit.to_output].to : places_[unit.writes[0]],
             values_.bytes(unit.from));
  }

  void add_copy(const BufferRef& from, const BufferRef& to, std::int64_t bytes) {
    const bool is_same =
        from.buffer == to.buffer && from.offset == to.offset && from.strides == to.strides;
    if (!is_same && bytes > 0) steps_.push_back({Copy{from, to, bytes}});
  }

  void emit_control(const Unit& unit) {
    const ir::Node& node = graph_.node(unit.node);
    const OriginRef around =
        std::exchange(builder_.around, unit.origins.empty() ? nullptr : unit.origins.front());
    if (const auto* scan = std::get_if<ir::Scan>(&node.op)) {
      emit_scan(unit, *scan);
    } else if (const auto* loop = std::get_if<ir::While>(&node.op)) {
      emit_while(unit, *loop);
    } else {
      emit_branch(unit, std::get<ir::Cond>(node.op));
    }
    builder_.around = around;
  }

  BufferRef slice_of(BufferRef whole, std::int64_t bytes) const {
    whole.strides.resize(depth_);
    whole.strides.push_back(bytes);
    return whole;
  }

  // Carried values live in the places of the results, from before the first iteration.
  std::vector<BlockTarget> start_carried(const Unit& unit, std::size_t count) {
    const ir::Node& node = graph_.node(unit.node);
    std::vector<BlockTarget> targets;
    for (std::uint32_t k = 0; k < count; ++k) {
      const BufferRef place = places_[values_.number({unit.node, k})];
      add_copy(place_of(node.operands[k]), place, byte_size(node.results[k]));
      targets.push_back({place, k});
    }
    return targets;
  }

  void emit_scan(const Unit& unit, const ir::Scan& scan) {
    const ir::Node& node = graph_.node(unit.node);
    const ir::Graph& body = *scan.body;
    std::vector<BlockTarget> targets = start_carried(unit, static_cast<std::size_t>(scan.carried));
    std::vector<BufferRef> inputs;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      if (i < targets.size()) {
        inputs.push_back(targets[i].to);
      } else if (static_cast<std::int64_t>(i) < scan.carried + scan.scanned) {
        inputs.push_back(slice_of(place_of(node.operands[i]), byte_size(body.inputs()[i].type)));
      } else {
        inputs.push_back(place_of(node.operands[i]));
      }
    }
    for (auto k = static_cast<std::uint32_t>(scan.carried); k < node.results.size(); ++k)
      targets.push_back({slice_of(places_[values_.number({unit.node, k})],
                                  byte_size(body.type(body.outputs()[k].value))),
                         std::nullopt});
    if (scan.length == 0) return;
    std::vector<bool> lasting(inputs.size());
    for (auto i = static_cast<std::size_t>(scan.carried + scan.scanned); i < inputs.size(); ++i)
      lasting[i] = true;
    const auto first_own = static_cast<std::uint32_t>(builder_.plan.buffers.size());
    std::vector<PlanStep> steps =
        plan_block(builder_, body, std::move(inputs), std::move(targets), depth_ + 1, lasting);
    if (builder_.options().take_invariants)
      std::ranges::move(take_invariants(builder_.plan, steps, first_own, depth_),
                        std::back_inserter(steps_));
    steps_.push_back({Repeat{scan.length, scan.reverse, std::move(steps)}});
  }

  void emit_while(const Unit& unit, const ir::While& loop) {
    const std::vector<BlockTarget> targets =
        start_carried(unit, graph_.node(unit.node).operands.size());
    std::vector<BufferRef> inputs;
    for (const BlockTarget& target : targets) inputs.push_back(target.to);
    RepeatWhile step;
    step.flag = builder_.add_buffer(fmt::format("condition_{}", unit.node), 1);
    step.condition =
        plan_block(builder_, *loop.condition, inputs, {{step.flag, std::nullopt}}, depth_);
    step.body = plan_block(builder_, *loop.body, inputs, targets, depth_);
    steps_.push_back({std::move(step)});
  }

  void emit_branch(const Unit& unit, const ir::Cond& cond) {
    const ir::Node& node = graph_.node(unit.node);
    std::vector<BufferRef> inputs;
    for (std::size_t i = 1; i < node.operands.size(); ++i)
      inputs.push_back(place_of(node.operands[i]));
    std::vector<BlockTarget> targets;
    for (std::uint32_t k = 0; k < node.results.size(); ++k)
      targets.push_back({places_[values_.number({unit.node, k})], std::nullopt});
    Branch step;
    step.flag = place_of(node.operands[0]);
    step.on_true = plan_block(builder_, *cond.on_true, inputs, targets, depth_);
    step.on_false = plan_block(builder_, *cond.on_false, inputs, targets, depth_);
    steps_.push_back({std::move(step)});
  }

  PlanBuilder& builder_;
  const ir::Graph& graph_;
  const std::vector<BufferRef> inputs_;
  const std::vector<BlockTarget> outputs_;
  const std::size_t depth_;
  const std::vector<lower::Region> regions_;
  ValueTable values_;
  std::vector<Unit> units_;
  std::vector<std::optional<std::uint32_t>> made_at_;  // per root: the output it is made in
  std::vector<std::optional<std::uint32_t>> copy_to_;  // per output: the unit that copies to it

  std::vector<std::optional<std::uint32_t>> producer_;  // per root
  std::vector<std::vector<std::uint32_t>> successors_;  // per unit
  std::vector<std::vector<std::uint32_t>> readers_;     // per input: units that read it, ascending

  std::vector<BufferRef> places_;      // per root that is computed
  std::vector<bool> is_reusable_;      // per root: its arena buffer may pass to a result
  std::vector<std::uint32_t> unread_;  // per root: units still to read it
  std::vector<PlanStep> steps_;
};

}  // namespace

std::vector<PlanStep> plan_block(PlanBuilder& builder, const ir::Graph& graph,
                                 std::vector<BufferRef> inputs, std::vector<BlockTarget> outputs,
                                 std::size_t depth, const std::vector<bool>& lasting) {
  return BlockPlanner(builder, graph, std::move(inputs), std::move(outputs), depth, lasting).plan();
}

}  // namespace tenon::schedule
