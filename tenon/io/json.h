// JSON files: parsed within limits into a UserError with a place, written atomically.
#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tenon::io {

using Json = nlohmann::json;

inline constexpr int kMaxJsonDepth = 64;

// UserError "FILE: line L, column C: REASON" for malformed JSON, numbers out of range, equal keys
// in one object, and nesting deeper than kMaxJsonDepth. `name` is the file's name in messages.
Json parse_json(std::string_view text, const std::string& name);
Json read_json(const std::filesystem::path& path);

// Keys in alphabetical order, a line end at the end. UserError for text that is not UTF-8.
std::string json_text(const Json& json, int indent = 2);
void write_json(const std::filesystem::path& path, const Json& json, int indent = 2);

}  // namespace tenon::io
