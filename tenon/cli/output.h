// Standard output of a command: text for people, or one JSON object.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tenon/cli/options.h"

namespace tenon::cli {

// --json.
void add_json_option(CLI::App& app, bool& json);
void print_text(const std::string& text);
// Texts that are not UTF-8 have their bad bytes replaced; numbers that are not finite become null.
void print_json(const nlohmann::json& json);

}  // namespace tenon::cli
