#include "tenon/nn/context.h"

#include <algorithm>

#include "tenon/base/hash.h"
#include "tenon/nn/loss_checks.h"
#include "tenon/tensor/elementwise.h"
#include "tenon/tensor/random.h"
#include "tenon/tensor/trace.h"

namespace tenon::nn {

Tensor Context::variable(const Variable& variable, std::string_view name, const TensorType& type,
                         const Initializer& initializer, VariableKind kind) {
  if (variable.is_defined()) {
    require(variable.type() == type,
            "\"{}\" was first built as {}, this input needs {}\n  help: one layer serves inputs of "
            "one type; use another layer, or clone() this one before it is built",
            variable.name(), variable.type(), type);
  } else {
    std::string full = path();
    full += full.empty() ? "" : "/";
    full += name;
    // Modules called without scopes of their own would share names, and so initial values.
    const std::string base = full;
    const auto is_taken = [&] {
      return std::ranges::any_of(variables_, [&](const Variable& v) { return v.name() == full; });
    };
    for (int i = 1; is_taken(); ++i) full = fmt::format("{}_{}", base, i);
    variable.define(full, type, kind,
                    [=](std::uint64_t seed) { return initializer(type, seed, full); });
  }
  if (std::ranges::find(variables_, variable) == variables_.end()) variables_.push_back(variable);
  // A value assigned earlier in this trace is the one later layers see.
  for (const Update& update : updates_)
    if (update.variable == variable) return update.value;
  return Tensor(variable);
}

void Context::add_loss(const WeightedSum& term) {
  for (const Tensor* value : {&term.sum, &term.weight})
    require(!value->is_empty() && value->rank() == 0 && is_float(value->dtype()),
            "add_loss: float scalars expected, got {}",
            value->is_empty() ? "an empty tensor" : value->description());
  losses_.push_back(term);
}

Tensor Context::total_loss(const Tensor& loss) const {
  Tensor total = loss;
  for (const WeightedSum& term : losses_) total = total + cast(mean_of(term), loss.dtype());
  return total;
}

void Context::assign(const Variable& variable, const Tensor& value) {
  const Tensor& input = levels_.back().input;
  const std::shared_ptr<Trace> trace =
      input.is_empty() ? value.trace() : Trace::merge(input.trace(), value.trace());
  trace->expected.push_back({variable, value.ir_value(),
                             input.is_empty() ? std::nullopt : std::optional(input.ir_value())});
  for (Update& update : updates_)
    if (update.variable == variable) {
      update = tenon::assign(variable, value);
      return;
    }
  updates_.push_back(tenon::assign(variable, value));
}

void Context::set_mask(const Tensor& mask) {
  require(mask.dtype() == DType::boolean && mask.rank() == 2,
          "set_mask: expected bool [batch, time], got {}", mask.type());
  mask_ = mask;
}

Tensor Context::mask_of(const Tensor& x) const {
  const bool fits = !mask_.is_empty() && x.rank() >= 2 && mask_.extent(0) == x.extent(0) &&
                    mask_.extent(1) == x.extent(1);
  return fits ? mask_ : Tensor();
}

void Context::require_whole_sequence(std::string_view layer, std::string_view reason) const {
  require(decoding_ == nullptr,
          "{}: {}, so it cannot generate step by step\n  help: models that generate have causal "
          "attention, recurrent layers that run forwards, and layers that treat each step alike",
          layer, reason);
}

Tensor Context::random_key() {
  require(!key_.is_empty(),
          "a layer draws random numbers, but the context has no key\n  help: pass one as Context's "
          "second argument");
  const std::uint64_t site = hash_text(path(), static_cast<std::uint64_t>(keys_drawn_++));
  return random::fold_in(random::fold_in(key_, static_cast<std::uint32_t>(site)),
                         static_cast<std::uint32_t>(site >> 32));
}

Context::Scope Context::scope(std::string_view kind, Tensor input) {
  auto& used = levels_.back().used;
  const auto found = used.find(kind);
  const int count = found == used.end() ? 0 : found->second;
  used.insert_or_assign(std::string(kind), count + 1);
  levels_.push_back(
      {count == 0 ? std::string(kind) : fmt::format("{}_{}", kind, count), {}, std::move(input)});
  return Scope(*this);
}

Context::Scope::~Scope() { context_.levels_.pop_back(); }

std::string Context::path() const {
  std::string path;
  for (std::size_t i = 1; i < levels_.size(); ++i) {
    if (i > 1) path += '/';
    path += levels_[i].name;
  }
  return path;
}

}  // namespace tenon::nn
