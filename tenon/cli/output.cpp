#include "tenon/cli/output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace tenon::cli {

void add_json_option(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "print the result as one JSON object");
}

void print_text(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const nlohmann::json& json) {
  print_text(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace tenon::cli
