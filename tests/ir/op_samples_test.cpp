// Compares evaluate() with the numbers of JAX and NumPy in data/op_samples.json.
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "op_testing.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/ir/fields.h"

namespace tenon::ir {
namespace {

using Json = nlohmann::json;

// Fills the fields of an op from a JSON object with the fields' names.
struct FieldReader {
  const Json& object;
  void operator()(std::string_view name, auto& field) const {
    read(object.at(std::string(name)), field);
  }
  static void read(const Json& json, std::int64_t& field) { field = json.get<std::int64_t>(); }
  static void read(const Json& json, bool& field) { field = json.get<bool>(); }
  static void read(const Json& json, Shape& field) { field = json.get<Shape>(); }
  static void read(const Json& json, DType& field) {
    field = parse_dtype(json.get<std::string>()).value();
  }
  static void read(const Json& json, ScalarFunction& field) {
    field = parse_scalar_function(json.get<std::string>()).value();
  }
  template <HasEnumNames Enum>
  static void read(const Json& json, Enum& field) {
    const auto names = enum_names(field);
    const auto found = std::ranges::find(names, json.get<std::string>());
    check(found != names.end(), "unknown name {}", json.dump());
    field = static_cast<Enum>(found - names.begin());
  }
  template <HasFields Group>
  static void read(const Json& json, Group& field) {
    Group::fields(field, FieldReader{json});
  }
};

template <class... Ops>
Op read_op(const std::string& name, const Json& attributes) {
  std::optional<Op> result;
  const auto try_one = [&]<class Candidate>(Candidate op) {
    if (Candidate::kName != name) return;
    Candidate::fields(op, FieldReader{attributes});
    result = op;
  };
  (try_one(Ops{}), ...);
  check(result.has_value(), "no op is called {}", name);
  return *result;
}

HostTensor read_tensor(const Json& json) {
  HostTensor tensor(
      {parse_dtype(json.at("type").get<std::string>()).value(), json.at("shape").get<Shape>()});
  const Json& data = json.at("data");
  check(static_cast<std::int64_t>(data.size()) == tensor.size(), "{} values for {}", data.size(),
        tensor.type());
  with_element_type(tensor.dtype(), [&]<class T>(TypeTag<T>) {
    const auto elements = tensor.as<T>();
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (data[i].is_string())
        elements[i] = convert_element<T>(std::stod(data[i].get<std::string>()));
      else if (data[i].is_number_float())
        elements[i] = convert_element<T>(data[i].get<double>());
      else if (data[i].is_number_unsigned())
        elements[i] = convert_element<T>(data[i].get<std::uint64_t>());
      else
        elements[i] = convert_element<T>(data[i].get<std::int64_t>());
    }
  });
  return tensor;
}

// The largest relative difference that is accepted: both sides round f64 results of short sums.
double tolerance(DType dtype, bool exact) {
  if (exact || !is_float(dtype)) return 0;
  return dtype == DType::f64 ? 2e-14 : 2.5e-7;
}

// The first element that differs by more than the tolerance, in words; empty if none does.
std::string difference(const HostTensor& found, const HostTensor& expected, double relative) {
  if (found.type() != expected.type())
    return fmt::format("found {}, expected {}", found.type(), expected.type());
  if (!is_float(found.dtype())) {  // i64 and u64 do not fit a double
    return found == expected ? "" : to_string(found) + " expected " + to_string(expected);
  }
  for (std::int64_t i = 0; i < found.size(); ++i) {
    const double a = element_as_double(found, i), b = element_as_double(expected, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (std::abs(a - b) <= relative * std::max(1.0, std::abs(b))) continue;
    return fmt::format("element {} is {}, expected {}", i, a, b);
  }
  return "";
}

TEST(OpSamples, AgreeWithJaxAndNumPy) {
  std::ifstream file(TENON_TEST_DATA "/op_samples.json");
  ASSERT_TRUE(file.good());
  const Json samples = Json::parse(file);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Json& sample = samples[i];
    const std::string name = sample.at("op").get<std::string>();
    const Json& attributes = sample.at("attributes");
    seen.insert(name == "elementwise" ? attributes.at("function").get<std::string>() : name);
    const Op op = read_op<Elementwise, Reduce, CumulativeReduce, WindowReduce, WindowSelect, Dot,
                          Convolution, Gather, Scatter, Sort>(name, attributes);
    HostTensors inputs;
    for (const Json& input : sample.at("inputs")) inputs.push_back(read_tensor(input));
    const HostTensors results = run_op_results(op, inputs);
    const Json& outputs = sample.at("outputs");
    ASSERT_EQ(results.size(), outputs.size()) << name;
    for (std::size_t k = 0; k < results.size(); ++k) {
      const HostTensor expected = read_tensor(outputs[k]);
      EXPECT_EQ(difference(results[k], expected,
                           tolerance(expected.dtype(), sample.at("exact").get<bool>())),
                "")
          << "sample " << i << ": " << name << " " << attributes.dump() << ", result " << k
          << ", inputs " << sample.at("inputs").dump().substr(0, 400);
    }
  }
  // Every row of the table of scalar functions has samples.
  for (const ScalarFunctionInfo& row : kScalarFunctions)
    EXPECT_TRUE(seen.contains(std::string(row.name))) << row.name;
  EXPECT_GE(samples.size(), 400u);
}

}  // namespace
}  // namespace tenon::ir
