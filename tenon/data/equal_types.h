// Whether samples are of one type, and what is said of one that is not.
#pragma once
#include <functional>
#include <string>

#include "tenon/data/pipeline.h"

namespace tenon::data {

// What a sample is of, and what it is called in messages.
struct NamedTypes {
  TensorType x, y;
  std::string name;
};

// Whether a sample of x and y fits; with `any_extents`, ranks and element types alone must be
// equal.
bool are_alike(const TensorType& x, const TensorType& y, const NamedTypes& first,
               bool any_extents = false);
// What differs: "x is f32[3], but a.jsonl: record 0 has f32[2]".
std::string type_difference(const TensorType& x, const TensorType& y, const NamedTypes& first,
                            bool any_extents = false);

// What the source calls the sample, else its place.
std::string short_name(const SamplePlace& place, const std::function<std::string()>& origin);
// Both: "sample 7 of epoch 0: a.jsonl: record 7".
std::string full_name(const SamplePlace& place, const std::function<std::string()>& origin);

}  // namespace tenon::data
