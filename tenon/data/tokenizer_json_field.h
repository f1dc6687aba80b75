// A place in a parsed JSON file, with checked access and messages that name the place.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/base/error.h"
#include "tenon/io/json.h"

namespace tenon::data {

// A view: the JSON must outlive it. Each access raises a UserError "FILE: PLACE: ..." if the value
// is of another kind.
class JsonField {
 public:
  JsonField(const io::Json& json, std::string where) : json_(&json), where_(std::move(where)) {}

  const io::Json& json() const { return *json_; }
  const std::string& where() const { return where_; }  // "FILE: model.vocab"
  [[noreturn]] void fail(std::string_view what) const;
  [[noreturn]] void refuse(std::string_view expected) const;  // names the value that was found

  // A field of an object; none if it is not there or null.
  std::optional<JsonField> find(const std::string& key) const;
  JsonField at(const std::string& key) const;
  // The elements of a list.
  std::vector<JsonField> elements() const;

  const std::string& text() const;
  bool flag() const;
  // A whole number from 0 to `most`.
  std::int64_t count(std::int64_t most) const;

  // Those of a field that may be absent.
  std::string text_or(const std::string& key, const std::string& other) const;
  bool flag_or(const std::string& key, bool other) const;

 private:
  JsonField child(const io::Json& json, const std::string& key) const;

  const io::Json* json_;
  std::string where_;
};

}  // namespace tenon::data
