// Layers as JSON: attributes by the names that `fields` shows, parts as nested objects.
#include <cmath>
#include <limits>

#include "tenon/nn/activation.h"
#include "tenon/nn/initializer.h"
#include "tenon/train/description.h"
#include "tenon/train/json_fields.h"

namespace tenon {
namespace {

using Json = nlohmann::json;

constexpr const char* kKindKey = "kind";
constexpr const char* kSharedKey = "same_as";       // number of an earlier weight
constexpr const char* kTrainableKey = "trainable";  // false for a frozen weight

class LayerWriter final : public nn::FieldVisitor {
 public:
  LayerWriter(Json& out, std::vector<Variable>& seen) : out_(out), seen_(seen) {}

  static Json write(const nn::Layer& layer, std::vector<Variable>& seen) {
    Json out = {{kKindKey, layer.kind()}};
    LayerWriter writer(out, seen);
    layer.fields(writer);
    return out;
  }

  void operator()(std::string_view name, std::int64_t& value) override { put(name, value); }
  void operator()(std::string_view name, double& value) override { put(name, value); }
  void operator()(std::string_view name, bool& value) override { put(name, value); }
  void operator()(std::string_view name, std::string& value) override { put(name, value); }
  void operator()(std::string_view name, std::vector<std::int64_t>& value) override {
    put(name, value);
  }
  void operator()(std::string_view name, nn::Activation& value) override {
    put(name, nn::name(value));
  }
  void operator()(std::string_view name, nn::Initializer& value) override {
    put(name, {{kKindKey, nn::name(value.kind)}, {"scale", value.scale}});
  }
  // Weights are in other files; what a description must say is which of them are one.
  void operator()(std::string_view name, Variable& value) override {
    const auto known = std::ranges::find(seen_, value);
    if (known != seen_.end()) {
      put(name, {{kSharedKey, known - seen_.begin()}});
      return;
    }
    seen_.push_back(value);
    if (value.kind() == VariableKind::weight && !value.is_trainable())
      put(name, {{kTrainableKey, false}});
  }
  void operator()(std::string_view name, nn::Layer& value) override {
    put(name, write(value, seen_));
  }
  void operator()(std::string_view name, std::vector<nn::Layer>& value) override {
    Json list = Json::array();
    for (const nn::Layer& layer : value) list.push_back(write(layer, seen_));
    put(name, std::move(list));
  }

 private:
  void put(std::string_view name, Json value) { out_[std::string(name)] = std::move(value); }
  Json& out_;
  std::vector<Variable>& seen_;
};

class LayerReader final : public nn::FieldVisitor {
 public:
  LayerReader(JsonFields& in, std::vector<Variable>& seen) : in_(in), seen_(seen) {}

  static nn::Layer read(const Json& json, const std::string& file, const std::string& place,
                        std::vector<Variable>& seen) {
    JsonFields fields(json, file, place);
    nn::Layer layer =
        fields.named_part(kKindKey, [](const std::string& kind) { return nn::make_layer(kind); });
    LayerReader reader(fields, seen);
    layer.fields(reader);
    fields.finish();
    return layer;
  }

  void operator()(std::string_view name, std::int64_t& value) override {
    value = in_.integer(name, std::numeric_limits<std::int64_t>::min(),
                        std::numeric_limits<std::int64_t>::max());
  }
  void operator()(std::string_view name, double& value) override { value = in_.number(name); }
  void operator()(std::string_view name, bool& value) override { value = in_.boolean(name); }
  void operator()(std::string_view name, std::string& value) override { value = in_.text(name); }
  void operator()(std::string_view name, std::vector<std::int64_t>& value) override {
    value = in_.integers(name);
  }
  void operator()(std::string_view name, nn::Activation& value) override {
    value = in_.named(name, [](const std::string& text) { return nn::parse_activation(text); });
  }
  void operator()(std::string_view name, nn::Initializer& value) override {
    JsonFields fields = in_.object(name);
    value.kind = fields.named(
        kKindKey, [](const std::string& text) { return nn::parse_initializer_kind(text); });
    value.scale = fields.number("scale");
    fields.finish();
  }
  void operator()(std::string_view name, Variable& value) override {
    if (!in_.has(name)) {
      seen_.push_back(value);
      return;
    }
    JsonFields fields = in_.object(name);
    if (fields.has(kSharedKey)) {
      const auto last = static_cast<std::int64_t>(seen_.size()) - 1;
      if (last < 0) fields.fail(kSharedKey, "there is no earlier weight");
      value = seen_[static_cast<std::size_t>(fields.integer(kSharedKey, 0, last))];
    } else {
      seen_.push_back(value);
      value.set_trainable(fields.boolean(kTrainableKey));
    }
    fields.finish();
  }
  void operator()(std::string_view name, nn::Layer& value) override {
    value = read(in_.at(name), in_.file(), in_.place_of(name), seen_);
  }
  void operator()(std::string_view name, std::vector<nn::Layer>& value) override {
    const Json& list = in_.at(name);
    if (!list.is_array()) in_.fail(name, "a list of layers expected");
    value.clear();
    for (std::size_t i = 0; i < list.size(); ++i)
      value.push_back(
          read(list[i], in_.file(), fmt::format("{}[{}]", in_.place_of(name), i), seen_));
  }

 private:
  JsonFields& in_;
  std::vector<Variable>& seen_;
};

}  // namespace

Json layer_to_json(const nn::Layer& layer) {
  std::vector<Variable> seen;
  return LayerWriter::write(layer, seen);
}

nn::Layer layer_from_json(const Json& json, const std::string& file, const std::string& place) {
  std::vector<Variable> seen;
  return LayerReader::read(json, file, place, seen);
}

}  // namespace tenon
