#include "tenon/train/json_fields.h"

#include <filesystem>

#include "tenon/base/text.h"

namespace tenon {
namespace {

constexpr std::int64_t kLargestInteger = std::numeric_limits<std::int64_t>::max();

// JSON text for a message, cut to a readable length.
std::string shown(const nlohmann::json& json) {
  return in_quotes(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

bool is_signed_integer(const nlohmann::json& json) {
  if (!json.is_number_integer()) return false;
  return !json.is_number_unsigned() ||
         std::cmp_less_equal(json.get<std::uint64_t>(), kLargestInteger);
}

}  // namespace

JsonFields::JsonFields(const nlohmann::json& json, std::string file, std::string place)
    : json_(json), file_(std::move(file)), place_(std::move(place)) {
  require(json.is_object(), "{}: {}{}an object expected, found {}", file_, place_,
          place_.empty() ? "" : ": ", shown(json));
}

std::string JsonFields::place_of(std::string_view key) const {
  return place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key);
}

void JsonFields::fail(std::string_view key, const std::string& reason) const {
  throw UserError(fmt::format("{}: {}: {}", file_, place_of(key), reason));
}

bool JsonFields::has(std::string_view key) const { return json_.find(key) != json_.end(); }

const nlohmann::json& JsonFields::at(std::string_view key) {
  asked_.emplace(key);
  const auto found = json_.find(key);
  if (found == json_.end()) fail(key, "missing");
  return *found;
}

std::string JsonFields::text(std::string_view key) {
  const nlohmann::json& value = at(key);
  if (!value.is_string()) fail(key, "a text expected, found " + shown(value));
  return value.get<std::string>();
}

bool JsonFields::boolean(std::string_view key) {
  const nlohmann::json& value = at(key);
  if (!value.is_boolean()) fail(key, "true or false expected, found " + shown(value));
  return value.get<bool>();
}

double JsonFields::number(std::string_view key) {
  const nlohmann::json& value = at(key);
  if (!value.is_number()) fail(key, "a number expected, found " + shown(value));
  return value.get<double>();
}

std::int64_t JsonFields::integer(std::string_view key, std::int64_t low, std::int64_t high) {
  const nlohmann::json& value = at(key);
  if (!is_signed_integer(value)) fail(key, "a whole number expected, found " + shown(value));
  const auto number = value.get<std::int64_t>();
  if (number < low || number > high)
    fail(key, fmt::format("a whole number from {} to {} expected, found {}", low, high, number));
  return number;
}

std::uint64_t JsonFields::natural(std::string_view key) {
  const nlohmann::json& value = at(key);
  if (!value.is_number_unsigned())
    fail(key, "a whole number from 0 expected, found " + shown(value));
  return value.get<std::uint64_t>();
}

std::vector<std::string> JsonFields::texts(std::string_view key) {
  const nlohmann::json& list = at(key);
  if (!list.is_array()) fail(key, "a list of texts expected, found " + shown(list));
  std::vector<std::string> texts;
  for (const nlohmann::json& item : list) {
    if (!item.is_string()) fail(key, "a list of texts expected, one entry is " + shown(item));
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::vector<std::int64_t> JsonFields::integers(std::string_view key) {
  const nlohmann::json& list = at(key);
  if (!list.is_array()) fail(key, "a list of whole numbers expected, found " + shown(list));
  std::vector<std::int64_t> numbers;
  for (const nlohmann::json& item : list) {
    if (!is_signed_integer(item))
      fail(key, "a list of whole numbers expected, one entry is " + shown(item));
    numbers.push_back(item.get<std::int64_t>());
  }
  return numbers;
}

TensorType JsonFields::tensor_type(std::string_view key) {
  JsonFields fields = object(key);
  const std::string name = fields.text("dtype");
  const std::optional<DType> dtype = parse_dtype(name);
  if (!dtype) fields.fail("dtype", "unknown element type " + in_quotes(name));
  TensorType type{*dtype, fields.integers("shape")};
  constexpr std::size_t kMostAxes = 32;
  if (type.shape.size() > kMostAxes)
    fields.fail("shape",
                fmt::format("{} axes; at most {} are supported", type.shape.size(), kMostAxes));
  try {
    byte_size(type);
  } catch (const UserError& error) {
    fields.fail("shape", error.what());
  }
  fields.finish();
  return type;
}

std::string JsonFields::custom_part_help() const {
  const std::filesystem::path weights =
      std::filesystem::path(file_).replace_filename("model.safetensors");
  return fmt::format(
      "\n  help: parts of your own are not rebuilt from a file; make the Trainer in code, then "
      "trainer.build(data) and trainer.load_weights(\"{}\")",
      weights.string());
}

JsonFields JsonFields::object(std::string_view key) { return {at(key), file_, place_of(key)}; }

void JsonFields::finish() const {
  for (const auto& [key, value] : json_.items())
    if (!asked_.contains(key)) fail(in_quotes(key), "unknown key");
}

}  // namespace tenon
