// tf.train.Example: named lists of integers, floats or byte strings, as TFRecord files hold them.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace tenon::io {

using ExampleFeature =
    std::variant<std::vector<std::string>, std::vector<float>, std::vector<std::int64_t>>;
using Example = std::map<std::string, ExampleFeature, std::less<>>;

// The message of tensorflow/core/example/example.proto and feature.proto. A feature without a list
// is a list of no bytes. As in Protocol Buffers the last of equal names wins, and fields that are
// unknown are passed over. UserError "NAME: byte N: REASON" for what is no such message.
Example read_example(std::span<const std::byte> bytes, const std::string& name);

// Features in the order of their names: equal examples give equal bytes.
std::string example_bytes(const Example& example);

}  // namespace tenon::io
