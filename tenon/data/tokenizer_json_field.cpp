#include "tenon/data/tokenizer_json_field.h"

#include "tenon/base/text.h"

namespace tenon::data {

void JsonField::fail(std::string_view what) const {
  throw UserError(fmt::format("{}: {}", where_, what));
}

void JsonField::refuse(std::string_view expected) const {
  std::string found = json_->is_string() ? in_quotes(json_->get_ref<const std::string&>())
                                         : std::string(json_->type_name());
  if (json_->is_number() || json_->is_boolean()) found = json_->dump();
  fail(fmt::format("{} expected, found {}", expected, found));
}

// "FILE" is followed by ": ", what is within by a dot.
JsonField JsonField::child(const io::Json& json, const std::string& key) const {
  const bool inside = where_.find(": ") != std::string::npos;
  constexpr std::size_t kMostName = 40;
  return {json, fmt::format("{}{}{}", where_, inside ? "." : ": ", key.substr(0, kMostName))};
}

std::optional<JsonField> JsonField::find(const std::string& key) const {
  if (!json_->is_object()) refuse("an object");
  const auto found = json_->find(key);
  if (found == json_->end() || found->is_null()) return std::nullopt;
  return child(*found, key);
}

JsonField JsonField::at(const std::string& key) const {
  std::optional<JsonField> found = find(key);
  if (!found) fail(fmt::format("there is no {}", in_quotes(key)));
  return *std::move(found);
}

std::vector<JsonField> JsonField::elements() const {
  if (!json_->is_array()) refuse("a list");
  std::vector<JsonField> result;
  for (std::size_t i = 0; i < json_->size(); ++i)
    result.emplace_back((*json_)[i], fmt::format("{}[{}]", where_, i));
  return result;
}

const std::string& JsonField::text() const {
  if (!json_->is_string()) refuse("a text");
  return json_->get_ref<const std::string&>();
}

bool JsonField::flag() const {
  if (!json_->is_boolean()) refuse("true or false");
  return json_->get<bool>();
}

std::int64_t JsonField::count(std::int64_t most) const {
  const bool whole = json_->is_number_unsigned() ||
                     (json_->is_number_integer() && json_->get<std::int64_t>() >= 0);
  if (!whole || json_->get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    refuse(fmt::format("a whole number from 0 to {}", most));
  return json_->get<std::int64_t>();
}

std::string JsonField::text_or(const std::string& key, const std::string& other) const {
  const std::optional<JsonField> field = find(key);
  return field ? field->text() : other;
}

bool JsonField::flag_or(const std::string& key, bool other) const {
  const std::optional<JsonField> field = find(key);
  return field ? field->flag() : other;
}

}  // namespace tenon::data
