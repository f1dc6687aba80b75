// Calls every function of docs/api.md by name, as the samples of data/function_samples.json ask.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tenon/base/text.h"
#include "tenon/tensor/functions.h"

namespace tenon::samples {

using Json = nlohmann::json;

// The attributes of a call, by name.
struct Arguments {
  const Json& json;

  template <class T>
  T get(const char* name, T fallback) const {
    return json.contains(name) ? json.at(name).get<T>() : fallback;
  }
  std::int64_t integer(const char* name, std::int64_t fallback = 0) const {
    return get<std::int64_t>(name, fallback);
  }
  double number(const char* name, double fallback = 0) const {
    return json.contains(name) && json.at(name).is_string()
               ? std::stod(json.at(name).get<std::string>())
               : get<double>(name, fallback);
  }
  bool flag(const char* name, bool fallback = false) const { return get<bool>(name, fallback); }
  Shape list(const char* name) const { return get<Shape>(name, {}); }
  DType dtype(DType fallback = DType::f32) const {
    return json.contains("dtype") ? parse_dtype(json.at("dtype").get<std::string>()).value()
                                  : fallback;
  }
  std::optional<std::int64_t> maybe(const char* name) const {
    if (!json.contains(name)) return std::nullopt;
    return json.at(name).get<std::int64_t>();
  }
};

using Inputs = std::span<const Tensor>;
using Call = std::function<std::vector<Tensor>(Inputs x, const Arguments& a)>;
using Calls = std::map<std::string, Call, std::less<>>;

void add_elementwise(Calls& calls);
void add_reductions(Calls& calls);
void add_shapes(Calls& calls);
void add_indexing(Calls& calls);
void add_layers(Calls& calls);
void add_random(Calls& calls);
void add_control(Calls& calls);

inline Calls all_calls() {
  Calls calls;
  for (const auto add : {add_elementwise, add_reductions, add_shapes, add_indexing, add_layers,
                         add_random, add_control})
    add(calls);
  return calls;
}

}  // namespace tenon::samples

// An entry of the table: CALL(sum, sum(x[0], a.list("axes"))).
#define CALL(name, ...)                                                    \
  calls[#name] = [](Inputs x, const Arguments& a) -> std::vector<Tensor> { \
    (void)x, (void)a;                                                      \
    return {__VA_ARGS__};                                                  \
  }
#define CALL_LIST(name, ...)                                               \
  calls[#name] = [](Inputs x, const Arguments& a) -> std::vector<Tensor> { \
    (void)x, (void)a;                                                      \
    return __VA_ARGS__;                                                    \
  }
