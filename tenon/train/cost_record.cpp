#include "tenon/train/cost_record.h"

#include "tenon/io/json.h"
#include "tenon/train/json_fields.h"

namespace tenon {
namespace {

// Every number of the report with the name it has in the file.
template <class Report, class Visit>
void each_cost(Report& cost, Visit visit) {
  visit("seconds_per_epoch", cost.seconds_per_epoch);
  visit("samples_per_second", cost.samples_per_second);
  visit("seconds_per_step", cost.seconds_per_step);
  visit("step_samples_per_second", cost.step_samples_per_second);
  visit("seconds_to_first_step", cost.seconds_to_first_step);
  visit("compile_seconds", cost.compile_seconds);
  visit("input_stall", cost.input_stall);
}
template <class Report, class Visit>
void each_buffer(Report& memory, Visit visit) {
  visit("state", memory.state);
  visit("inputs", memory.inputs);
  visit("results", memory.results);
  visit("constants", memory.constants);
  visit("arena", memory.arena);
}

}  // namespace

void write_cost(const std::filesystem::path& file, const CostReport& cost) {
  io::Json json = io::Json::object(), memory = io::Json::object();
  each_cost(cost, [&](const char* name, double value) { json[name] = value; });
  each_buffer(cost.memory, [&](const char* name, std::int64_t value) { memory[name] = value; });
  json["step_buffer_bytes"] = std::move(memory);
  io::write_json(file, json);
}

CostReport read_cost(const std::filesystem::path& file) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 60;  // the sum of all fits, too
  const io::Json json = io::read_json(file);
  JsonFields fields(json, file.string(), "");
  CostReport cost;
  each_cost(cost, [&](const char* name, double& value) { value = fields.number(name); });
  JsonFields memory = fields.object("step_buffer_bytes");
  each_buffer(cost.memory, [&](const char* name, std::int64_t& value) {
    value = memory.integer(name, 0, kMostBytes);
  });
  memory.finish();
  fields.finish();
  return cost;
}

}  // namespace tenon
