#include "tenon/cli/options.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "tenon/base/text.h"

namespace tenon::cli {
namespace {

CLI::Option* add_parsed(CLI::App& app, const std::string& name, const std::string& help,
                        const std::string& type,
                        const std::function<void(const std::string&)>& parse) {
  return app.add_option_function<std::string>(name, parse, help)->type_name(type);
}

template <class Value>
CLI::Option* add_count_to(CLI::App& app, const std::string& name, Value& value, std::int64_t low,
                          std::int64_t high, const std::string& help) {
  return add_parsed(app, name, help, "N", [=, &value](const std::string& text) {
    value = parse_count(name, text, low, high);
  });
}

template <class Whole>
Whole parse_whole(std::string_view option, const std::string& text, Whole low, Whole high) {
  Whole value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  if (!is_whole || value < low || value > high)
    refuse_option(option, "expected a whole number from {} to {}, got {}", low, high,
                  in_quotes(text));
  return value;
}

}  // namespace

std::string help_text(const std::string& help, Need need) {
  return need == Need::required ? help + " (required)" : help;
}

std::int64_t parse_count(std::string_view option, const std::string& text, std::int64_t low,
                         std::int64_t high) {
  return parse_whole(option, text, low, high);
}

std::int64_t parse_bytes(std::string_view option, std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40},
      {"KB", 1e3},     {"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12}};
  std::string_view number = text;
  double factor = 1;
  for (const auto& [unit, bytes] : kUnits)
    if (factor == 1 && number.ends_with(unit)) {
      number.remove_suffix(unit.size());
      factor = bytes;
    }
  number = trim(number);
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value,
                                            std::chars_format::fixed);
  const bool is_number = error == std::errc() && end == number.data() + number.size();
  const double bytes = value * factor;
  constexpr double kMost = 0x1p60;
  if (!is_number || !(bytes >= 1) || bytes > kMost || (factor == 1 && bytes != std::floor(bytes)))
    refuse_option(option, "expected a size, as in 512MiB, 1.5GB or 4096, got {}", in_quotes(text));
  return static_cast<std::int64_t>(bytes);
}

CLI::Option* add_bytes(CLI::App& app, const std::string& name, std::int64_t& value,
                       const std::string& help) {
  return add_parsed(app, name, help, "SIZE",
                    [name, &value](const std::string& text) { value = parse_bytes(name, text); });
}

double parse_number(std::string_view option, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    refuse_option(option, "expected a number, got {}", in_quotes(text));
  return value;
}

CLI::Option* add_count(CLI::App& app, const std::string& name, std::int64_t& value,
                       std::int64_t low, std::int64_t high, const std::string& help) {
  return add_count_to(app, name, value, low, high, help)->default_str(fmt::format("{}", value));
}

CLI::Option* add_count(CLI::App& app, const std::string& name, std::optional<std::int64_t>& value,
                       std::int64_t low, std::int64_t high, const std::string& help) {
  return add_count_to(app, name, value, low, high, help);
}

CLI::Option* add_natural(CLI::App& app, const std::string& name, std::uint64_t& value,
                         const std::string& help) {
  return add_parsed(app, name, help, "N",
                    [=, &value](const std::string& text) {
                      constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
                      value = parse_whole<std::uint64_t>(name, text, 0, kMost);
                    })
      ->default_str(fmt::format("{}", value));
}

CLI::Option* add_text(CLI::App& app, const std::string& name, std::string& value,
                      const std::string& help, const std::string& type) {
  return add_parsed(app, name, help, type, [=, &value](const std::string& text) {
    if (text.empty()) refuse_option(name, "expected a value, got an empty one");
    value = text;
  });
}

CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& help) {
  const auto parse = [=, &value](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end())
      refuse_option(name, "unknown value {}; known: {}{}", in_quotes(text), join(choices, ", "),
                    did_you_mean(text, choices));
    value = text;
  };
  CLI::Option* option = add_parsed(app, name, help, join(choices, "|"), parse);
  return value.empty() ? option : option->default_str(value);
}

CLI::Option* add_counts(CLI::App& app, const std::string& name,
                        std::optional<std::vector<std::int64_t>>& values, const std::string& help) {
  return add_parsed(app, name, help, "N,N,...", [=, &values](const std::string& text) {
    constexpr std::int64_t kMost = 1 << 24;
    constexpr std::size_t kMostLayers = 1000;
    std::vector<std::int64_t> numbers;
    if (text != "none")
      for (const std::string_view part : split(text, ','))
        numbers.push_back(parse_count(name, std::string(part), 1, kMost));
    if (numbers.size() > kMostLayers)
      refuse_option(name, "{} numbers; at most {} are supported", numbers.size(), kMostLayers);
    values = std::move(numbers);
  });
}

CLI::Option* add_checked(CLI::App& app, const std::string& name, std::string& value,
                         const std::function<void(const std::string&)>& check,
                         const std::string& help, const std::string& type) {
  return add_parsed(app, name, help, type, [=, &value](const std::string& text) {
    try {
      check(text);
    } catch (const UserError& error) {
      refuse_option(name, "{}", error.what());
    }
    value = text;
  });
}

}  // namespace tenon::cli
