#include "tenon/cli/optimizer_options.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tenon/base/text.h"

namespace tenon::cli {
namespace {

using Given = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kSwitchedOn = "true";
constexpr std::string_view kKernels = "*kernel";
constexpr std::string_view kSteps = "steps";  // the length of a schedule that has one
constexpr std::int64_t kMostScheduleSteps = std::int64_t{1} << 40;

// One field of a rule; without a value it is a switch.
struct Field {
  std::string name;
  std::string value;  // by default
};

class FieldCollector final : public optim::HyperparameterVisitor, public optim::ScheduleVisitor {
 public:
  std::vector<Field> fields;
  void operator()(std::string_view name, double& value, optim::Range) override {
    fields.push_back({std::string(name), fmt::format("{}", value)});
  }
  void operator()(std::string_view name, bool&) override {
    fields.push_back({std::string(name), ""});
  }
  void operator()(std::string_view name, std::int64_t& value, std::int64_t) override {
    fields.push_back({std::string(name), fmt::format("{}", value)});
  }
  void operator()(std::string_view, optim::TextList&) override {}  // have options of their own
};

// The fields of every kind of a table.
struct KindFields {
  std::string kind;
  std::vector<Field> fields;
};

bool has_field(const KindFields& kind, std::string_view name) {
  return std::ranges::any_of(kind.fields, [&](const Field& field) { return field.name == name; });
}

const std::vector<KindFields>& optimizer_fields() {
  static const std::vector<KindFields> all = [] {
    std::vector<KindFields> kinds;
    for (const optim::OptimizerKind& each : optim::optimizer_kinds()) {
      FieldCollector collector;
      each.make({}).fields(collector);
      kinds.push_back({std::string(each.kind), std::move(collector.fields)});
    }
    return kinds;
  }();
  return all;
}

const std::vector<KindFields>& schedule_fields() {
  static const std::vector<KindFields> all = [] {
    std::vector<KindFields> kinds;
    for (const optim::ScheduleKind& each : optim::schedule_kinds()) {
      FieldCollector collector;
      each.make(0).fields(collector);
      for (Field& field : collector.fields)
        if (field.name == kSteps) field.value = "the whole training";
      kinds.push_back({std::string(each.kind), std::move(collector.fields)});
    }
    return kinds;
  }();
  return all;
}

std::vector<std::string> names_of(const std::vector<KindFields>& kinds) {
  std::vector<std::string> names;
  for (const KindFields& kind : kinds) names.push_back(kind.kind);
  return names;
}

std::string option_name(std::string_view prefix, std::string_view field) {
  std::string name = fmt::format("--{}{}", prefix, field);
  std::ranges::replace(name, '_', '-');
  return name;
}

// "a, b and c".
std::string in_words(const std::vector<std::string>& names) {
  if (names.size() < 2) return join(names, "");
  const std::vector<std::string> first(names.begin(), names.end() - 1);
  return fmt::format("{} and {}", join(first, ", "), names.back());
}

// "of sgd (0.9); muon (0.95)": the kinds that have the field, by their default.
std::string help_of(const std::vector<KindFields>& kinds, std::string_view name) {
  std::vector<std::pair<std::string, std::vector<std::string>>> by_value;
  for (const KindFields& kind : kinds)
    for (const Field& field : kind.fields) {
      if (field.name != name) continue;
      const auto known =
          std::ranges::find(by_value, field.value, &decltype(by_value)::value_type::first);
      if (known == by_value.end())
        by_value.push_back({field.value, {kind.kind}});
      else
        known->second.push_back(kind.kind);
    }
  std::vector<std::string> parts;
  for (const auto& [value, names] : by_value)
    parts.push_back(value.empty() ? in_words(names)
                                  : fmt::format("{} ({})", join(names, ", "), value));
  return "of " + join(parts, "; ");
}

void add_field(CLI::App& app, const Field& field, std::string_view prefix, const std::string& help,
               Given& given) {
  const std::string option = option_name(prefix, field.name);
  if (field.value.empty()) {
    app.add_flag_callback(
        option, [&given, name = field.name] { given[name] = kSwitchedOn; }, help);
    return;
  }
  const auto keep = [&given, option, name = field.name](const std::string& text) {
    parse_number(option, text);
    given[name] = text;
  };
  app.add_option_function<std::string>(option, keep, help)->type_name("NUMBER");
}

// One option for each name that the kinds' fields have.
void add_table(CLI::App& app, const std::vector<KindFields>& kinds, std::string_view prefix,
               Given& given) {
  std::vector<std::string> seen;
  for (const KindFields& kind : kinds)
    for (const Field& field : kind.fields) {
      if (std::ranges::find(seen, field.name) != seen.end()) continue;
      seen.push_back(field.name);
      add_field(app, field, prefix, help_of(kinds, field.name), given);
    }
}

// Refuses what was given for another kind.
void require_fields(const std::vector<KindFields>& kinds, const std::string& chosen,
                    std::string_view prefix, const Given& given,
                    const std::vector<Field>& of_every_kind = {}) {
  const auto own = std::ranges::find(kinds, chosen, &KindFields::kind);
  const KindFields every{"", of_every_kind};
  for (const auto& [name, text] : given) {
    if (has_field(*own, name) || has_field(every, name)) continue;
    std::vector<std::string> others;
    for (const KindFields& kind : kinds)
      if (has_field(kind, name)) others.push_back(kind.kind);
    refuse_option(option_name(prefix, name), "{} has none; it is for {}", chosen, in_words(others));
  }
}

// Sets the fields that were given.
class FieldSetter final : public optim::HyperparameterVisitor, public optim::ScheduleVisitor {
 public:
  FieldSetter(std::string_view prefix, const Given& given, DType dtype)
      : prefix_(prefix), given_(given), dtype_(dtype) {}
  void operator()(std::string_view name, double& value, optim::Range range) override {
    const auto found = given_.find(name);
    if (found == given_.end()) return;
    const std::string option = option_name(prefix_, name);
    const double number = parse_number(option, found->second);
    if (!optim::contains(range, number))
      refuse_option(option, "expected a number {}, got {}", optim::description(range),
                    in_quotes(found->second));
    const auto narrow = static_cast<float>(number);
    if (dtype_ == DType::f32 && ((narrow == 0 && number != 0) || !std::isfinite(narrow)))
      refuse_option(option, "{} does not fit f32", number);
    value = number;
  }
  void operator()(std::string_view name, bool& value) override {
    if (given_.contains(name)) value = true;
  }
  void operator()(std::string_view name, std::int64_t& value, std::int64_t least) override {
    const auto found = given_.find(name);
    if (found != given_.end())
      value = parse_count(option_name(prefix_, name), found->second, least, kMostScheduleSteps);
  }
  void operator()(std::string_view, optim::TextList&) override {}

 private:
  std::string_view prefix_;
  const Given& given_;
  DType dtype_;
};

constexpr std::string_view kSchedulePrefix = "schedule-";
constexpr std::string_view kLookaheadPrefix = "lookahead_";  // of fields with one option together

// An option that may be given several times, each time with one entry of the list.
template <class Entry>
void add_list(CLI::App& app, const std::string& option, std::vector<Entry>& entries,
              Entry (*parse)(std::string_view), const std::string& help, const std::string& type) {
  const auto keep = [&entries, option, parse](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      try {
        entries.push_back(parse(text));
      } catch (const UserError& error) {
        refuse_option(option, "{}", error.what());
      }
    }
  };
  app.add_option_function<std::vector<std::string>>(option, keep, help)
      ->type_name(type)
      ->allow_extra_args(false);
}

void set_lookahead(const std::string& text, optim::UpdateOptions& update) {
  constexpr std::string_view kOption = "--lookahead";
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() > 2)
    refuse_option(kOption, "expected STEPS:ALPHA, as in 5:0.5, got {}", in_quotes(text));
  update.lookahead_steps = parse_count(kOption, std::string(parts[0]), 1, kMostScheduleSteps);
  if (parts.size() < 2) return;
  update.lookahead_alpha = parse_number(kOption, std::string(parts[1]));
  if (!(update.lookahead_alpha > 0 && update.lookahead_alpha < 1))
    refuse_option(kOption, "alpha must be above 0 and below 1, got {}", in_quotes(parts[1]));
}

void add_update_options(CLI::App& app, optim::UpdateOptions& update) {
  add_list(app, "--rate-for", update.rates, optim::parse_rate_factor,
           "factor of the learning rate of weights by name, as in 'embedding/*=0.1'",
           "PATTERN=FACTOR");
  add_list(app, "--no-decay", update.no_decay, optim::parse_pattern,
           "weights that have no weight decay, as in '*/scale'", "PATTERN");
  add_list(app, "--constraint", update.constraints, optim::parse_constraint,
           "of weights after each update: max_norm=N, unit_norm or non_negative, as in "
           "'*kernel:max_norm=3'",
           "PATTERN:CONSTRAINT");
  app.add_option_function<std::string>(
         "--max-norm",
         [&update](const std::string& text) {
           const double limit = parse_number("--max-norm", text);
           if (!(limit > 0))
             refuse_option("--max-norm", "must be above 0, got {}", in_quotes(text));
           update.constraints.push_back(
               {std::string(kKernels), optim::ConstraintKind::max_norm, limit, {}});
         },
         "the largest norm of what comes into a unit or filter: --constraint '*kernel:max_norm=N'")
      ->type_name("NUMBER");
  app.add_option_function<std::string>(
         "--lookahead", [&update](const std::string& text) { set_lookahead(text, update); },
         "every so many steps weights go ALPHA (0.5) of the way from where they were then")
      ->type_name("STEPS[:ALPHA]");
}

}  // namespace

void add_optimizer_options(CLI::App& app, OptimizerOptions& options) {
  add_choice(app, "--optimizer", options.optimizer, names_of(optimizer_fields()),
             "how weights are updated");
  add_table(app, optimizer_fields(), "", options.hyperparameters);
  const std::map<std::string, std::string, std::less<>> help = {
      {"clip_value", "the largest element of a gradient"},
      {"clip_norm", "the largest norm of each gradient"},
      {"clip_global_norm", "the largest norm of all gradients together"},
      {"average_decay", "of moving averages of the weights, written to averages.safetensors"},
      {"decay_matrices_only", "no weight decay of biases, scales and offsets"},
      {"accumulate", "batches whose gradients make one update"},
      {"loss_scale", "what the loss is first multiplied with, against underflow in fp16; 0: none"},
      {"loss_scale_growth", "factor of the loss scale after good updates"},
      {"loss_scale_backoff", "factor of the loss scale after an overflow"},
      {"loss_scale_interval", "good updates before the loss scale grows"},
  };
  FieldCollector collector;
  optim::UpdateOptions{}.fields(collector);
  for (const Field& field : collector.fields)
    if (!field.name.starts_with(kLookaheadPrefix))
      add_field(app, field, "", help.at(field.name), options.hyperparameters);
  add_update_options(app, options.update);
  add_choice(app, "--schedule", options.schedule, names_of(schedule_fields()),
             "of the learning rate");
  add_count(app, "--warmup-steps", options.warmup_steps, 0, kMostScheduleSteps,
            "steps in which the learning rate rises, before the schedule");
  add_table(app, schedule_fields(), kSchedulePrefix, options.schedule_fields);
}

optim::Optimizer make_optimizer(const OptimizerOptions& options, DType dtype) {
  optim::UpdateOptions update = options.update;
  FieldCollector of_every_kind;
  update.fields(of_every_kind);
  require_fields(optimizer_fields(), options.optimizer, "", options.hyperparameters,
                 of_every_kind.fields);
  FieldSetter setter("", options.hyperparameters, dtype);
  update.fields(setter);
  const optim::Optimizer optimizer = optim::make_optimizer(options.optimizer, update);
  optimizer.fields(setter);
  return optimizer;
}

optim::Schedule make_schedule(const OptimizerOptions& options, std::int64_t steps) {
  require_fields(schedule_fields(), options.schedule, kSchedulePrefix, options.schedule_fields);
  Given given = options.schedule_fields;
  const std::int64_t after_warmup = std::max<std::int64_t>(1, steps - options.warmup_steps);
  given.try_emplace(std::string(kSteps),
                    fmt::format("{}", std::min(after_warmup, kMostScheduleSteps)));
  const optim::Schedule schedule = optim::make_schedule(options.schedule, options.warmup_steps);
  FieldSetter setter(kSchedulePrefix, given, DType::f64);
  schedule.fields(setter);
  return schedule;
}

}  // namespace tenon::cli
