// Options of the command line: every value is parsed whole and checked, and a bad one gives one
// clear line.
#pragma once
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tenon/base/error.h"

namespace tenon::cli {

// An option that cannot be: exit status 2.
struct OptionError : Error {
  using Error::Error;
};

// Whether a command cannot do without an option.
enum class Need { optional, required };
// The help with a remark if the option is required.
std::string help_text(const std::string& help, Need need);

// Raises OptionError "NAME: message".
template <class... Args>
[[noreturn]] void refuse_option(std::string_view name, fmt::format_string<Args...> format,
                                Args&&... args) {
  throw OptionError(fmt::format("{}: {}", name, fmt::format(format, std::forward<Args>(args)...)));
}

std::int64_t parse_count(std::string_view option, const std::string& text, std::int64_t low,
                         std::int64_t high);
double parse_number(std::string_view option, const std::string& text);

// An option with a whole number in [low, high].
CLI::Option* add_count(CLI::App& app, const std::string& name, std::int64_t& value,
                       std::int64_t low, std::int64_t high, const std::string& help);
CLI::Option* add_count(CLI::App& app, const std::string& name, std::optional<std::int64_t>& value,
                       std::int64_t low, std::int64_t high, const std::string& help);
// An option with a size: whole bytes, or a number and one of KB, MB, GB, TB (powers of 1000) or
// KiB, MiB, GiB, TiB (of 1024); above 0.
CLI::Option* add_bytes(CLI::App& app, const std::string& name, std::int64_t& value,
                       const std::string& help);
std::int64_t parse_bytes(std::string_view option, std::string_view text);
// An option with a whole number that fits 64 bits without sign.
CLI::Option* add_natural(CLI::App& app, const std::string& name, std::uint64_t& value,
                         const std::string& help);
CLI::Option* add_text(CLI::App& app, const std::string& name, std::string& value,
                      const std::string& help, const std::string& type = "TEXT");
// One of these words.
CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& value,
                        const std::vector<std::string>& choices, const std::string& help);
// "128,64" as whole numbers above 0; "none" is the empty list.
CLI::Option* add_counts(CLI::App& app, const std::string& name,
                        std::optional<std::vector<std::int64_t>>& values, const std::string& help);
// Calls check(text) at once; its UserError becomes an OptionError that names the option.
CLI::Option* add_checked(CLI::App& app, const std::string& name, std::string& value,
                         const std::function<void(const std::string&)>& check,
                         const std::string& help, const std::string& type = "NAME");

}  // namespace tenon::cli
