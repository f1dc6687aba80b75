// JSON files: parsed within limits into a UserError with a place, written atomically.
#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tenon::io {

using Json = nlohmann::json;

// Containers within containers. Values are copied and written by recursion: some 1.5 KB of stack
// for each level in the largest build (g++ -O0 with AddressSanitizer), of 8 MB.
inline constexpr int kMaxJsonDepth = 1000;

// UserError "FILE: line L, column C: REASON" for malformed JSON, numbers out of range, equal keys
// in one object, and nesting deeper than kMaxJsonDepth. `name` is the file's name in messages.
Json parse_json(std::string_view text, const std::string& name);
Json read_json(const std::filesystem::path& path);

// Keys in alphabetical order, a line end at the end. UserError for what could not be read again:
// text that is not UTF-8, numbers that are not finite, nesting deeper than kMaxJsonDepth.
std::string json_text(const Json& json, int indent = 2);
void write_json(const std::filesystem::path& path, const Json& json, int indent = 2);

}  // namespace tenon::io
