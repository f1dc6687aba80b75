#include "case.h"

#include <numeric>

#include "tenon/base/scalar_convert.h"
#include "tenon/base/threefry.h"

namespace tenon::conformance {
using namespace ir;

std::vector<Case> all_cases() {
  std::vector<Case> all;
  const auto append = [&]<class... Ops>(const std::variant<Ops...>*) {
    (
        [&] {
          for (Case& c : cases(static_cast<const Ops*>(nullptr))) all.push_back(std::move(c));
        }(),
        ...);
  };
  append(static_cast<const Op*>(nullptr));
  return all;
}

HostTensor random_tensor(const TensorType& type, std::uint64_t seed, double low, double high) {
  HostTensor tensor(type);
  with_element_type(type.dtype, [&]<class T>(TypeTag<T>) {
    auto elements = tensor.as<T>();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const std::uint32_t word = random_word(static_cast<std::uint32_t>(seed), 7, i);
      if constexpr (std::is_same_v<T, bool>) {
        elements[i] = word & 1;
      } else {
        double value = low + (high - low) * (word / 4294967296.0);
        if (is_integer(type.dtype))
          value = std::floor(low + (high - low + 1) * (word / 4294967296.0));
        elements[i] = convert_element<T>(value);
      }
    }
  });
  return tensor;
}

HostTensor distinct_tensor(const TensorType& type, std::uint64_t seed) {
  HostTensor tensor(type);
  std::vector<std::int64_t> order(static_cast<std::size_t>(tensor.size()));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i-- > 1;)
    std::swap(order[i], order[random_word(static_cast<std::uint32_t>(seed), 11, i) % (i + 1)]);
  with_element_type(type.dtype, [&]<class T>(TypeTag<T>) {
    auto elements = tensor.as<T>();
    const double middle = is_unsigned(type.dtype) ? 0 : static_cast<double>(order.size()) / 2;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const double whole = static_cast<double>(order[i]) - std::floor(middle);
      elements[i] = convert_element<T>(is_float(type.dtype) ? whole / 4 : whole);
    }
  });
  return tensor;
}

Case single_op_case(std::string name, Op op, std::vector<HostTensor> inputs, bool has_gradient) {
  Builder builder;
  std::vector<Value> operands;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    operands.push_back(builder.input({fmt::format("x{}", i), inputs[i].type(), Role::data, {}}));
  const Value first = builder.add(std::move(op), operands);
  const std::vector<Value> results = builder.results(first);
  return {std::move(name), std::move(builder).finish(results), std::move(inputs), has_gradient};
}

namespace {

// Zeros and ones: sums and products of them stay exact, and no zero is negative.
HostTensor zeros_and_ones(const TensorType& type, std::uint64_t seed) {
  ThreefrySequence random{seed};
  HostTensor tensor({DType::f64, type.shape});
  for (double& element : tensor.as<double>()) element = random.below(4) == 0 ? 1 : 0;
  return converted(tensor, type.dtype);
}

}  // namespace

Case exact_case(std::string name, Graph graph) {
  Case c;
  c.name = std::move(name);
  for (const Input& input : graph.inputs())
    c.inputs.push_back(zeros_and_ones(input.type, c.inputs.size() + 1));
  c.graph = std::move(graph);
  c.is_exact = true;
  return c;
}

}  // namespace tenon::conformance
