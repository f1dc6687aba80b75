// Elementwise functions and gradients at the ends of their ranges: data/extreme_samples.json.
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "../data/sample_reading.h"
#include "function_calls.h"
#include "tenon/session/session.h"

namespace tenon::samples {
namespace {

const Json& extreme_samples() {
  static const Json samples = read_samples("extreme_samples.json");
  return samples;
}

HostTensor read_numbers(const Json& data, DType dtype) {
  return read_tensor({{"type", name(dtype)}, {"shape", {data.size()}}, {"data", data}});
}

double unit_of(DType dtype) {
  switch (dtype) {
    case DType::f16: return 0x1p-10;
    case DType::bf16: return 0x1p-7;
    default: return dtype == DType::f64 ? 0x1p-52 : 0x1p-23;
  }
}
double largest_of(DType dtype) {
  if (dtype == DType::f16) return 65504;
  return dtype == DType::f64 ? std::numeric_limits<double>::max() : 0x1.fep127;
}
double least_normal_of(DType dtype) {
  if (dtype == DType::f16) return 0x1p-14;
  return dtype == DType::f64 ? 0x1p-1022 : 0x1p-126;
}

// Made of a difference of numbers near 1: right beside 1, not beside their own small results.
const std::set<std::string> kCancelling = {"tanh", "sigmoid", "gelu",         "gelu_tanh",  "silu",
                                           "mish", "elu",     "hard_sigmoid", "hard_swish", "selu"};

// Within `units` of the expected number, or of the size of the operand where terms cancel.
bool is_near(double found, double expected, double size, DType dtype, double units) {
  if (found == expected || (std::isnan(found) && std::isnan(expected))) return true;
  if (std::isnan(found) || std::isnan(expected)) return false;
  // Results below the normal numbers are flushed to zero; those of f16 are computed in f32.
  if (found == 0 && std::abs(expected) < least_normal_of(dtype) && dtype != DType::f16) return true;
  const double largest = largest_of(dtype);
  const auto finite = [&](double v) { return std::isinf(v) ? std::copysign(largest, v) : v; };
  const double a = finite(found) / 2, b = finite(expected) / 2;  // so that nothing overflows
  const double scale = std::max({std::abs(b), size, least_normal_of(dtype)});
  return std::abs(a - b) <= units * unit_of(dtype) * scale;
}

struct Column {
  std::string label;
  Tensor found;
  const Json* expected;
  bool cancels;
  double units;
};

void expect_columns(Session& session, DType dtype, const std::vector<Column>& columns,
                    const std::vector<Feed>& feeds) {
  std::vector<Tensor> fetches;
  for (const Column& column : columns) fetches.push_back(column.found);
  const std::vector<HostTensor> found = session.run(fetches, feeds);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& column = columns[i];
    for (std::int64_t k = 0; k < found[i].size(); ++k) {
      const Json& json = column.expected->at(static_cast<std::size_t>(k));
      if (json.is_null()) continue;
      const double expected =
          json.is_string() ? std::stod(json.get<std::string>()) : json.get<double>();
      const double x = element_as_double(feeds[0].second, k);
      const double size = column.cancels && std::isfinite(x) ? std::max(1.0, std::abs(x)) : 0;
      const double value = element_as_double(found[i], k);
      std::string at;
      for (const Feed& feed : feeds) at += fmt::format(" {}", element_as_double(feed.second, k));
      EXPECT_TRUE(is_near(value, expected, size, dtype, column.units))
          << column.label << " of" << at << " is " << value << ", expected " << expected;
    }
  }
}

// All functions of one kind and type as one program.
void expect_functions(std::string_view device, const char* kind, DType dtype) {
  const Calls calls = all_calls();
  const std::string type(name(dtype));
  const Json& samples = extreme_samples();
  const bool is_unary = std::string_view(kind) == "unary";
  std::vector<Json> operands;
  if (is_unary)
    operands.push_back(samples.at("grids").at(type));
  else
    for (const Json& side : samples.at("pairs").at(type)) operands.push_back(side);
  std::vector<Tensor> inputs;
  std::vector<Feed> feeds;
  for (const Json& operand : operands) {
    const HostTensor value = read_numbers(operand, dtype);
    inputs.push_back(placeholder(fmt::format("x{}", inputs.size()), value.type()));
    feeds.emplace_back(inputs.back(), value);
  }
  std::vector<Column> columns;
  const Json no_arguments = Json::object();
  for (const auto& [function, by_type] : samples.at(kind).items()) {
    const Json& expected = by_type.at(type);
    const bool cancels = kCancelling.contains(function);
    const Tensor result = calls.find(function)->second(inputs, Arguments{no_arguments})[0];
    columns.push_back({function, result, &expected.at(0), cancels, 8});
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (!expected.at(i + 1).is_null())
        columns.push_back({fmt::format("{}: gradient {}", function, i),
                           grad(sum(result), inputs[i]), &expected.at(i + 1), cancels, 16});
  }
  Session session(device);
  expect_columns(session, dtype, columns, feeds);
}

class ExtremeSamples : public ::testing::TestWithParam<DType> {};

TEST_P(ExtremeSamples, OfOneNumberOnReference) {
  expect_functions("reference", "unary", GetParam());
}
TEST_P(ExtremeSamples, OfOneNumberOnCpu) { expect_functions("cpu", "unary", GetParam()); }
TEST_P(ExtremeSamples, OfTwoNumbersOnReference) {
  expect_functions("reference", "binary", GetParam());
}
TEST_P(ExtremeSamples, OfTwoNumbersOnCpu) { expect_functions("cpu", "binary", GetParam()); }

INSTANTIATE_TEST_SUITE_P(Types, ExtremeSamples,
                         ::testing::Values(DType::f16, DType::bf16, DType::f32, DType::f64),
                         [](const auto& one) { return std::string(name(one.param)); });

}  // namespace
}  // namespace tenon::samples
