// Standard output of a command: text for people, or one JSON object.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "tenon/cli/options.h"

namespace tenon::cli {

// --json.
void add_json_option(CLI::App& app, bool& json);
void print_text(const std::string& text);
// A line on standard error about what may surprise (a slow fallback, a kept file), said once;
// print_json repeats all of them as "notes".
void print_note(std::string_view line);
// The same, for who prints it in another way; false if it was said before.
bool is_new_note(std::string_view line);
// Texts that are not UTF-8 have their bad bytes replaced; numbers that are not finite become null.
void print_json(const nlohmann::json& json);

}  // namespace tenon::cli
