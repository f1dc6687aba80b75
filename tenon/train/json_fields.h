// Reading the fields of a JSON object that a person may have changed: every complaint names the
// file and the key.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tenon/base/error.h"
#include "tenon/base/tensor_type.h"

namespace tenon {

// One object of a file. Ask for every key there may be, then call finish().
class JsonFields {
 public:
  // UserError unless the value is an object. `place` is its key in the file, "" for the outermost.
  JsonFields(const nlohmann::json& json, std::string file, std::string place);

  bool has(std::string_view key) const;
  // The value of a key; UserError if it is missing.
  const nlohmann::json& at(std::string_view key);
  std::string text(std::string_view key);
  bool boolean(std::string_view key);
  double number(std::string_view key);
  // A whole number in [low, high].
  std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high);
  std::uint64_t natural(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  std::vector<std::int64_t> integers(std::string_view key);
  TensorType tensor_type(std::string_view key);
  JsonFields object(std::string_view key);

  // UserError for a key that nobody asked for.
  void finish() const;
  // Calls a parser of a name that raises UserError; the file and the key are put before its text.
  template <class Parse>
  auto named(std::string_view key, Parse parse) {
    const std::string value = text(key);
    try {
      return parse(value);
    } catch (const UserError& error) {
      fail(key, error.what());
    }
  }
  // The same for a part of a model, which may be one that its user wrote: says what to do then.
  template <class Parse>
  auto named_part(std::string_view key, Parse parse) {
    return named(key, [&](const std::string& value) {
      try {
        return parse(value);
      } catch (const UserError& error) {
        throw UserError(error.what() + custom_part_help());
      }
    });
  }
  // For the end of a message.
  std::string custom_part_help() const;
  [[noreturn]] void fail(std::string_view key, const std::string& reason) const;
  std::string place_of(std::string_view key) const;
  const std::string& file() const { return file_; }

 private:
  const nlohmann::json& json_;
  std::string file_, place_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace tenon
