#include "tenon/train/optimizer_json.h"

#include <limits>

namespace tenon {

using Json = nlohmann::json;

namespace {

class HyperparameterWriter final : public optim::HyperparameterVisitor {
 public:
  explicit HyperparameterWriter(Json& out) : out_(out) {}
  void operator()(std::string_view name, double& value, optim::Range) override {
    out_[std::string(name)] = value;
  }
  void operator()(std::string_view name, bool& value) override { out_[std::string(name)] = value; }
  void operator()(std::string_view name, std::int64_t& value, std::int64_t) override {
    out_[std::string(name)] = value;
  }
  void operator()(std::string_view name, optim::TextList& value) override {
    out_[std::string(name)] = value.texts();
  }

 private:
  Json& out_;
};

enum class Missing : std::uint8_t { refused, as_usual };

class HyperparameterReader final : public optim::HyperparameterVisitor {
 public:
  explicit HyperparameterReader(JsonFields& in, Missing missing = Missing::refused)
      : in_(in), missing_(missing) {}
  void operator()(std::string_view name, double& value, optim::Range range) override {
    if (stays(name)) return;
    value = in_.number(name);
    if (!optim::contains(range, value))
      in_.fail(name,
               fmt::format("a number {} expected, found {}", optim::description(range), value));
  }
  void operator()(std::string_view name, bool& value) override {
    if (!stays(name)) value = in_.boolean(name);
  }
  void operator()(std::string_view name, std::int64_t& value, std::int64_t least) override {
    if (!stays(name)) value = in_.integer(name, least, std::numeric_limits<std::int64_t>::max());
  }
  void operator()(std::string_view name, optim::TextList& value) override {
    if (stays(name)) return;
    const std::vector<std::string> texts = in_.texts(name);
    try {
      value.set(texts);
    } catch (const UserError& error) {
      in_.fail(name, error.what());
    }
  }

 private:
  bool stays(std::string_view name) const {
    return missing_ == Missing::as_usual && !in_.has(name);
  }
  JsonFields& in_;
  Missing missing_;
};

class ScheduleWriter final : public optim::ScheduleVisitor {
 public:
  explicit ScheduleWriter(Json& out) : out_(out) {}
  void operator()(std::string_view name, double& value, optim::Range) override {
    out_[std::string(name)] = value;
  }
  void operator()(std::string_view name, std::int64_t& value, std::int64_t) override {
    out_[std::string(name)] = value;
  }

 private:
  Json& out_;
};

class ScheduleReader final : public optim::ScheduleVisitor {
 public:
  explicit ScheduleReader(JsonFields& in) : in_(in), numbers_(in) {}
  void operator()(std::string_view name, double& value, optim::Range range) override {
    numbers_(name, value, range);
  }
  void operator()(std::string_view name, std::int64_t& value, std::int64_t least) override {
    value = in_.integer(name, least, std::numeric_limits<std::int64_t>::max());
  }

 private:
  JsonFields& in_;
  HyperparameterReader numbers_;
};

}  // namespace

optim::Optimizer read_optimizer(JsonFields fields) {
  optim::UpdateOptions options;
  if (fields.has("options")) {
    JsonFields of_options = fields.object("options");
    HyperparameterReader reader(of_options, Missing::as_usual);
    options.fields(reader);
    of_options.finish();
  }
  optim::Optimizer optimizer = fields.named_part(
      "kind", [&](const std::string& kind) { return optim::make_optimizer(kind, options); });
  HyperparameterReader reader(fields);
  optimizer.fields(reader);
  fields.finish();
  return optimizer;
}

optim::Schedule read_schedule(JsonFields fields) {
  const std::int64_t warmup_steps =
      fields.integer("warmup_steps", 0, std::numeric_limits<std::int64_t>::max());
  const optim::Schedule schedule = fields.named_part(
      "kind", [&](const std::string& kind) { return optim::make_schedule(kind, warmup_steps); });
  ScheduleReader reader(fields);
  schedule.fields(reader);
  fields.finish();
  return schedule;
}

Json optimizer_json(const optim::Optimizer& optimizer) {
  Json json = {{"kind", optimizer.kind()}};
  HyperparameterWriter writer(json);
  optimizer.fields(writer);
  optim::UpdateOptions options = optimizer.options(), usual;
  Json all = Json::object(), all_usual = Json::object();
  HyperparameterWriter options_writer(all), usual_writer(all_usual);
  options.fields(options_writer);
  usual.fields(usual_writer);
  for (const auto& [name, value] : all.items())
    if (value != all_usual[name]) json["options"][name] = value;
  return json;
}

Json schedule_json(const optim::Schedule& schedule) {
  Json json = {{"kind", schedule.kind()}, {"warmup_steps", schedule.warmup_steps()}};
  ScheduleWriter writer(json);
  schedule.fields(writer);
  return json;
}

}  // namespace tenon
