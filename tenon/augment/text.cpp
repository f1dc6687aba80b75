// Augmentations as text, and back.
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "tenon/augment/augmentation.h"
#include "tenon/base/part_name.h"
#include "tenon/base/unknown_name.h"

namespace tenon::augment {
namespace {

using BorderName = std::pair<Border, std::string_view>;
constexpr std::array kBorders = {BorderName{Border::fill, "fill"}, BorderName{Border::edge, "edge"},
                                 BorderName{Border::reflect, "reflect"}};

// One of each kind, with default fields.
template <std::size_t... kIndex>
std::array<Change, sizeof...(kIndex)> default_changes(std::index_sequence<kIndex...>) {
  return {Change(std::in_place_index<kIndex>)...};
}
auto default_changes() {
  return default_changes(std::make_index_sequence<std::variant_size_v<Change>>());
}

class OptionReader final : public FieldVisitor {
 public:
  explicit OptionReader(PartName& options) : options_(options) {}
  void operator()(std::string_view name, double& value, Bounds) override {
    value = options_.number(name, value);
  }
  void operator()(std::string_view name, std::int64_t& value, Bounds bounds) override {
    const double number = options_.number(name, static_cast<double>(value));
    require(number == std::floor(number) && number >= bounds.low && number <= bounds.high,
            "{}: {} must be a whole number in {} to {}, got {}", options_.name(), name, bounds.low,
            bounds.high, number);
    value = static_cast<std::int64_t>(number);
  }
  void operator()(std::string_view name, Border& value) override {
    const std::optional<std::string> word = options_.word(name);
    if (!word) return;
    std::vector<std::string_view> known;
    for (const auto& [border, text] : kBorders) {
      if (text == *word) {
        value = border;
        return;
      }
      known.push_back(text);
    }
    throw_unknown(name, *word, known);
  }

 private:
  PartName& options_;
};

// The fields of a change as texts.
class FieldTexts final : public FieldVisitor {
 public:
  std::vector<std::pair<std::string, std::string>> texts;
  void operator()(std::string_view name, double& value, Bounds) override {
    texts.emplace_back(name, fmt::format("{}", value));
  }
  void operator()(std::string_view name, std::int64_t& value, Bounds) override {
    texts.emplace_back(name, fmt::format("{}", value));
  }
  void operator()(std::string_view name, Border& value) override {
    for (const auto& [border, text] : kBorders)
      if (border == value) texts.emplace_back(name, text);
  }
};

Change parse_change(std::string_view text) {
  PartName options("augmentation", text);
  std::vector<std::string_view> known;
  for (Change change : default_changes()) {
    if (kind_of(change) != options.name()) {
      known.push_back(kind_of(change));
      continue;
    }
    OptionReader reader(options);
    visit_fields(change, reader);
    options.require_all_read();
    return change;
  }
  throw_unknown("augmentation", options.name(), known);
}

}  // namespace

std::vector<std::string> change_names() {
  std::vector<std::string> names;
  for (const Change& change : default_changes()) names.emplace_back(kind_of(change));
  return names;
}

Augmentation parse(std::string_view text) {
  std::vector<Change> changes;
  if (!text.empty())
    for (const std::string_view part : split(text, ','))
      changes.push_back(parse_change(trim(part)));
  return Augmentation(std::move(changes));
}

std::string text_of(const Augmentation& augmentation) {
  const auto defaults = default_changes();
  std::vector<std::string> parts;
  for (Change change : augmentation.changes) {
    Change plain = defaults[change.index()];
    FieldTexts fields, usual;
    visit_fields(change, fields);
    visit_fields(plain, usual);
    std::string text(kind_of(change));
    for (std::size_t i = 0; i < fields.texts.size(); ++i)
      if (fields.texts[i] != usual.texts[i])
        text += fmt::format(":{}={}", fields.texts[i].first, fields.texts[i].second);
    parts.push_back(std::move(text));
  }
  return join(parts, ",");
}

}  // namespace tenon::augment
