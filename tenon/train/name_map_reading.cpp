#include "tenon/train/name_map_reading.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "tenon/base/text.h"
#include "tenon/base/unknown_name.h"
#include "tenon/io/json.h"
#include "tenon/train/json_fields.h"

namespace tenon {
namespace {

constexpr std::array<std::string_view, 3> kChangeNames = {"none", "output_last",
                                                          "transposed_kernel"};
constexpr std::int64_t kMostRepeats = 100000, kMostFactor = 1000;

TensorChange parse_change(const std::string& text) {
  for (std::size_t i = 0; i < kChangeNames.size(); ++i)
    if (kChangeNames[i] == text) return static_cast<TensorChange>(i);
  throw_unknown("change", text, kChangeNames);
}

std::int64_t small_number(std::string_view text, std::string_view whole) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size() && value >= 0 &&
              value <= kMostFactor,
          "{}: expected numbers from 0 to {} in {{[K*]i[+C]}}, got {}", in_quotes(whole),
          kMostFactor, in_quotes(text));
  return value;
}

// The text with each {...} replaced by its number for this i: "[_][K*]i[+C]".
std::string expanded(std::string_view text, std::int64_t i) {
  std::string result;
  for (std::size_t place = 0; place < text.size();) {
    const std::size_t open = text.find('{', place);
    result += text.substr(place, open - place);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}', open);
    require(close != std::string_view::npos, "{}: a {{ without a }}", in_quotes(text));
    std::string_view formula = text.substr(open + 1, close - open - 1);
    const bool is_layer = formula.starts_with('_');
    if (is_layer) formula.remove_prefix(1);
    std::int64_t factor = 1, more = 0;
    if (const std::size_t star = formula.find('*'); star != std::string_view::npos) {
      factor = small_number(formula.substr(0, star), text);
      formula.remove_prefix(star + 1);
    }
    if (const std::size_t plus = formula.find('+'); plus != std::string_view::npos) {
      more = small_number(formula.substr(plus + 1), text);
      formula = formula.substr(0, plus);
    }
    require(formula == "i", "{}: expected {{[_][K*]i[+C]}}, got {}", in_quotes(text),
            in_quotes(text.substr(open, close - open + 1)));
    const std::int64_t number = factor * i + more;
    if (!is_layer)
      result += std::to_string(number);
    else if (number > 0)
      result += "_" + std::to_string(number);
    place = close + 1;
  }
  return result;
}

WeightSource read_source(const nlohmann::json& value, const std::string& weight,
                         const std::string& file) {
  WeightSource source{weight, {}};
  if (value.is_string()) {
    source.tensor = value.get<std::string>();
    return source;
  }
  JsonFields fields(value, file, fmt::format("weights.{}", weight));
  source.tensor = fields.text("from");
  if (fields.has("change")) source.change = fields.named("change", parse_change);
  if (fields.has("part")) {
    const std::vector<std::int64_t> part = fields.integers("part");
    if (part.size() != 2 || part[0] < 0 || part[1] < 1 || part[0] >= part[1])
      fields.fail("part", "[K, N] with K from 0 and below N expected");
    source.part = part[0];
    source.parts = part[1];
  }
  fields.finish();
  return source;
}

}  // namespace

NameMap read_name_map(const std::string& file, std::span<const std::string> weights) {
  const nlohmann::json json = io::read_json(file);
  JsonFields fields(json, file, "");
  NameMap map{file, {}};
  if (fields.has("prefix")) map.prefixes = {fields.text("prefix")};
  if (fields.has("ignore")) map.ignored = fields.texts("ignore");
  const nlohmann::json& entries = fields.at("weights");
  if (!entries.is_object()) fields.fail("weights", "an object of names expected");
  const auto is_weight = [&](const std::string& name) {
    return std::ranges::find(weights, name) != weights.end();
  };
  for (const auto& [weight, value] : entries.items()) {
    const WeightSource source = read_source(value, weight, file);
    const bool repeats = weight.find('{') != std::string::npos;
    try {
      for (std::int64_t i = 0; i < (repeats ? kMostRepeats : 1); ++i) {
        WeightSource one = source;
        one.weight = expanded(weight, i);
        one.tensor = expanded(source.tensor, i);
        if (!is_weight(one.weight)) {
          if (i > 0) break;
          throw UserError(fmt::format(
              "the model has no weight {}{}", in_quotes(one.weight),
              did_you_mean(one.weight, std::vector<std::string>(weights.begin(), weights.end()))));
        }
        require(
            std::ranges::find(map.sources, one.weight, &WeightSource::weight) == map.sources.end(),
            "the weight {} has two sources", in_quotes(one.weight));
        map.sources.push_back(std::move(one));
      }
    } catch (const UserError& error) {
      fields.fail("weights", error.what());
    }
  }
  fields.finish();
  return map;
}

}  // namespace tenon
