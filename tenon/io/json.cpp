#include "tenon/io/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/io/file.h"

namespace tenon::io {
namespace {

// "[json.exception.parse_error.101] parse error at line 1, column 2: REASON" -> "REASON".
std::string json_reason(std::string_view what) {
  if (what.starts_with('[')) what = trim(what.substr(what.find(']') + 1));
  if (what.starts_with("parse error at")) what = trim(what.substr(what.find(": ") + 1));
  return std::string(what);
}

// Builds the value from the parser's events, refusing what nlohmann's own builder accepts.
class JsonBuilder : public nlohmann::json_sax<Json> {
 public:
  JsonBuilder(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // no such thing in JSON text
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    Json& object = *open_.back();
    require(!object.contains(name), "{}: the key {} appears twice in one object", name_,
            in_quotes(name));
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    const std::string_view before = text_.substr(0, position > 0 ? position - 1 : 0);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    throw UserError(fmt::format("{}: line {}, column {}: {}", name_, line,
                                before.size() - line_start + 1, json_reason(error.what())));
  }

 private:
  Json* add(Json value, int) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_object()) return &(parent[key_] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }
  bool add(Json value) {
    add(std::move(value), 0);
    return true;
  }
  bool open(Json value) {
    require(open_.size() < kMaxJsonDepth, "{}: JSON nested deeper than {} levels", name_,
            kMaxJsonDepth);
    // Elements of a parent do not move while a child is open: only the innermost one grows.
    open_.push_back(add(std::move(value), 0));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  const std::string& name_;
  Json root_;
  std::vector<Json*> open_;
  std::string key_;
};

// Refuses what parse_json would refuse, or read as something else. `place` is the path of `json` in
// the whole value: "/optimizer/learning_rate".
void require_readable(const Json& json, const std::string& what, std::string& place, int depth) {
  if (json.is_number_float()) {
    const double number = json.get<double>();
    require(std::isfinite(number), "cannot write {}: {} is {}; numbers in JSON are finite", what,
            place.empty() ? "the value" : place, number);
  }
  if (!json.is_structured()) return;
  require(depth < kMaxJsonDepth, "cannot write {}: JSON nested deeper than {} levels", what,
          kMaxJsonDepth);
  const std::size_t length = place.size();
  for (const auto& [key, value] : json.items()) {  // the key of a list's element is its number
    place += '/';
    place += key;
    require_readable(value, what, place, depth + 1);
    place.resize(length);
  }
}

std::string text_of(const Json& json, int indent, const std::string& what) {
  std::string place;
  require_readable(json, what, place, 0);
  try {
    return json.dump(indent) + '\n';
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("cannot write {}: {}", what, json_reason(error.what())));
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& name) {
  JsonBuilder builder(text, name);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

Json read_json(const std::filesystem::path& path) {
  constexpr std::uint64_t kMaxJsonBytes = std::uint64_t{1} << 28;
  return parse_json(read_text_file(path, kMaxJsonBytes), path.string());
}

std::string json_text(const Json& json, int indent) { return text_of(json, indent, "JSON"); }

void write_json(const std::filesystem::path& path, const Json& json, int indent) {
  write_file_atomically(path, text_of(json, indent, path.string()));
}

}  // namespace tenon::io
