#include "tenon/nn/decoding.h"

#include "tenon/tensor/functions.h"

namespace tenon::nn {

Decoding::Decoding(std::int64_t length) : length_(length) {
  constexpr std::int64_t kMost = 1 << 24;
  require(length >= 1 && length <= kMost, "decoding: a length from 1 to {} expected, got {}", kMost,
          length);
}

void Decoding::begin(const Tensor& position) {
  require(position.type() == TensorType{DType::i32, {}},
          "decoding: the position must be an i32 scalar, got {}", position.type());
  position_ = position;
  asked_.clear();
  updates_.clear();
}

Variable Decoding::remembered(const std::string& name, const TensorType& type) {
  const int count = asked_[name]++;
  const std::string full =
      count == 0 ? fmt::format("decoding/{}", name) : fmt::format("decoding/{}_{}", name, count);
  const Variable& state = states_[full];
  if (!state.is_defined())
    state.define(full, type, VariableKind::statistic,
                 [type](std::uint64_t) { return HostTensor(type); });
  require(state.type() == type,
          "decoding: \"{}\" was {} before and is {} now; all steps decode one number of sequences",
          full, state.type(), type);
  return state;
}

void Decoding::remember(const Variable& state, const Tensor& value) {
  updates_.push_back(assign(state, value));
}

Tensor Decoding::append(const std::string& name, const Tensor& rows, std::int64_t axis) {
  require(rows.extent(axis) <= length_, "decoding: {} steps are more than the {} there is room for",
          rows.extent(axis), length_);
  bound();
  TensorType type = rows.type();
  type.shape[static_cast<std::size_t>(axis)] = length_;
  const Variable state = remembered(name, type);
  std::vector<Tensor> starts(type.shape.size(), constant(make_scalar<std::int32_t>(0)));
  starts[static_cast<std::size_t>(axis)] = position_;
  const Tensor all = dynamic_update_slice(Tensor(state), rows, starts);
  remember(state, all);
  return all;
}

std::vector<Variable> Decoding::state() const {
  std::vector<Variable> all;
  for (const auto& [name, state] : states_) all.push_back(state);
  return all;
}

}  // namespace tenon::nn
