#include "tenon/cli/output.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <vector>

namespace tenon::cli {

void add_json_option(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "print the result as one JSON object");
}

namespace {

std::vector<std::string>& said_notes() {
  static std::vector<std::string> notes;
  return notes;
}

}  // namespace

bool is_new_note(std::string_view line) {
  std::vector<std::string>& notes = said_notes();
  if (std::ranges::count(notes, line) > 0) return false;
  notes.emplace_back(line);
  return true;
}

void print_note(std::string_view line) {
  if (is_new_note(line)) fmt::print(stderr, "{}\n", line);
}

void print_text(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const nlohmann::json& result) {
  nlohmann::json json = result;
  if (!said_notes().empty()) json["notes"] = said_notes();
  print_text(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace tenon::cli
