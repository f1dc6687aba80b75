// Reads tensors of the JSON sample files and compares tensors with them.
#pragma once
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tenon/base/host_tensor.h"
#include "tenon/base/scalar_convert.h"

namespace tenon::samples {

// A file of tests/data.
inline nlohmann::json read_samples(const std::string& name) {
  const std::string path = std::string(TENON_TEST_DATA "/") + name;
  std::ifstream file(path);
  require(file.good(), "cannot read {}", path);
  return nlohmann::json::parse(file);
}

inline HostTensor read_tensor(const nlohmann::json& json) {
  HostTensor tensor(
      {parse_dtype(json.at("type").get<std::string>()).value(), json.at("shape").get<Shape>()});
  const nlohmann::json& data = json.at("data");
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

// The first element that differs by more than `relative` times max(1, |expected|), in words; ""
// if none does. Integers must be equal.
inline std::string difference(const HostTensor& found, const HostTensor& expected,
                              double relative) {
  if (found.type() != expected.type())
    return fmt::format("found {}, expected {}", found.type(), expected.type());
  if (!is_float(found.dtype()))
    return found == expected ? "" : to_string(found) + " expected " + to_string(expected);
  for (std::int64_t i = 0; i < found.size(); ++i) {
    const double a = element_as_double(found, i), b = element_as_double(expected, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (std::abs(a - b) <= relative * std::max(1.0, std::abs(b))) continue;
    return fmt::format("element {} is {}, expected {}", i, a, b);
  }
  return "";
}

}  // namespace tenon::samples
