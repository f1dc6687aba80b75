#include "tests/lower/evaluate_regions.h"

#include <cmath>
#include <stdexcept>

#include "tenon/kernel/builder.h"
#include "tests/kernel_evaluator/evaluate_kernel.h"

namespace tenon::lower {

namespace {

bool is_source(const ir::Node& node) {
  return std::holds_alternative<ir::Parameter>(node.op) ||
         std::holds_alternative<ir::Constant>(node.op);
}

}  // namespace

ir::HostTensors evaluate_regions(const ir::Graph& graph, std::span<const Region> regions,
                                 const Target& target, std::span<const HostTensor> inputs) {
  std::map<ir::Value, HostTensor> values;
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.node(i);
    if (const auto* parameter = std::get_if<ir::Parameter>(&node.op))
      values.insert_or_assign({i, 0}, inputs[static_cast<std::size_t>(parameter->position)]);
    if (const auto* constant = std::get_if<ir::Constant>(&node.op))
      values.insert_or_assign({i, 0}, *constant->value);
  }
  int number = 0;
  for (const Region& region : regions) {
    for (const ir::Value output : region.outputs) {
      HostTensor tensor(graph.type(output));
      std::ranges::fill(tensor.bytes(), std::byte{0x7f});
      values.insert_or_assign(output, std::move(tensor));
    }
    std::map<ir::Value, std::vector<std::byte>> scratch;
    for (const LoweredRegion& lowered :
         lower(graph, region, target, fmt::format("k{}", number++))) {
      kernel::verify(lowered.kernel);
      std::vector<std::span<std::byte>> arguments;
      for (const LoweredRegion::Argument& argument : lowered.arguments) {
        if (argument.kind == LoweredRegion::Argument::Kind::scratch) {
          auto& memory = scratch[argument.value];
          memory.resize(static_cast<std::size_t>(argument.bytes), std::byte{0x7f});
          arguments.emplace_back(memory);
        } else {
          const auto found = values.find(argument.value);
          if (found == values.end())
            throw std::runtime_error(
                fmt::format("%{} is read before it is made", argument.value.node));
          arguments.push_back(found->second.bytes());
        }
      }
      kernel::evaluate_kernel(lowered.kernel, arguments);
    }
  }
  ir::HostTensors outputs;
  for (const ir::Output& output : graph.outputs()) outputs.push_back(values.at(output.value));
  return outputs;
}

std::vector<Region> regions_of_single_nodes(const ir::Graph& graph) {
  std::vector<Region> regions;
  for (std::uint32_t i = 0; i < graph.nodes().size(); ++i) {
    const ir::Node& node = graph.node(i);
    if (is_source(node)) continue;
    Region region{{i}, {}, {}};
    for (const ir::Value operand : node.operands)
      if (std::ranges::count(region.inputs, operand) == 0) region.inputs.push_back(operand);
    for (std::uint32_t k = 0; k < node.results.size(); ++k) region.outputs.push_back({i, k});
    regions.push_back(std::move(region));
  }
  return regions;
}

std::string compare(const HostTensor& found, const HostTensor& expected, double tolerance) {
  if (found.type() != expected.type())
    return fmt::format("found {}, expected {}", found.type(), expected.type());
  double scale = 0;
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    const double value = std::abs(element_as_double(expected, i));
    if (std::isfinite(value)) scale = std::max(scale, value);
  }
  for (std::int64_t i = 0; i < expected.size(); ++i) {
    const double a = element_as_double(found, i), b = element_as_double(expected, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (is_float(expected.dtype()) && std::abs(a - b) <= tolerance * scale) continue;
    return fmt::format("element {} is {}, expected {}", i, a, b);
  }
  return "";
}

const std::vector<Target>& test_targets() {
  static const std::vector<Target> targets{
      {Target::Kind::cpu, 32, 16, 1, 0},
      {Target::Kind::cpu, 64, 32, 1, 0},
      {Target::Kind::cuda, 0, 0, 128, 48 * 1024},
  };
  return targets;
}

}  // namespace tenon::lower
