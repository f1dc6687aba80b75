// tenon inspect
#include <nlohmann/json.hpp>

#include "tenon/cli/commands.h"
#include "tenon/cli/flops.h"
#include "tenon/cli/memory_chart.h"
#include "tenon/cli/output.h"
#include "tenon/cli/progress.h"
#include "tenon/cli/step_choice.h"
#include "tenon/cli/text.h"
#include "tenon/cli/train_report.h"
#include "tenon/io/file.h"
#include "tenon/session/program.h"
#include "tenon/train/quantize.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

struct InspectCommand {
  StepChoice step;
  bool graph = false, plan = false, source = false, json = false;
  std::string memory_map;  // file
};

void add_options(CLI::App& app, InspectCommand& command) {
  add_step_choice(app, command.step);
  app.add_flag("--graph", command.graph, "print the graph of the training step");
  app.add_flag("--plan", command.plan, "print its plan: kernels, order, buffers");
  app.add_flag("--source", command.source, "print its source code");
  add_text(app, "--memory-map", command.memory_map,
           "write a picture of what lies where in memory during the step (SVG)", "FILE");
  add_json_option(app, command.json);
}

// Returns what it holds.
backends::StepMemory write_memory_map(const InspectCommand& command, Trainer& trainer,
                                      const ir::Graph& graph) {
  backends::CompileOptions options;
  options.skip = command.step.skip;
  backends::StepMemory memory = trainer.session().backend().plan(graph, options);
  if (memory.map.launches.empty())
    refuse_option("--memory-map", "device {} plans no memory; --device cpu does",
                  trainer.session().device());
  const std::string& name =
      command.step.run.empty() ? command.step.train.model.model : command.step.run;
  io::write_file_atomically(
      command.memory_map,
      memory_svg(memory, fmt::format("Memory of {} over a step of {} samples on {}", name,
                                     command.step.train.batch_size, trainer.session().device())));
  return memory;
}

// Of predicting one sample.
double forward_flops(const Trainer& trainer) {
  const TensorType row = trainer.row_types().x;
  const DType dtype = trainer.options().dtype;
  const bool is_float = !is_integer(row.dtype) || row.dtype == DType::u8;
  TensorType type{is_float ? dtype : row.dtype, row.shape};
  type.shape.insert(type.shape.begin(), 1);
  const Tensor x = placeholder("x", type);
  nn::Context context(nn::Mode::inference, {}, dtype);
  const Tensor y = trainer.model().call_as_root(x, context);
  return count_flops(make_program(std::array{y}, {}, std::array{x}).graph);
}

// That the step has on the device: a batch, or all of a run's data set.
std::int64_t samples_of(const ir::Graph& graph) { return graph.inputs()[0].type.shape.at(0); }
std::string data_name(const ir::Graph& graph, std::int64_t batch_size) {
  const std::int64_t samples = samples_of(graph);
  return samples == batch_size ? "data of a batch" : fmt::format("data of {} samples", samples);
}

int run_inspect(InspectCommand command) {
  if (!command.memory_map.empty()) io::require_writable(command.memory_map);
  const bool keep_texts = command.graph || command.plan || command.source;
  Trainer trainer = open_step(command.step, {.keep_texts = keep_texts}).trainer;
  const std::int64_t batch_size = command.step.train.batch_size;
  // Weights of 8 bits are not trained: there is a step that predicts, and no other.
  const bool is_trained = !is_quantized(trainer);
  const auto graph_of_step = [&] {
    return is_trained ? trainer.step_graph(batch_size) : trainer.prediction_graph(batch_size);
  };
  std::optional<backends::StepMemory> memory;
  if (!command.memory_map.empty()) memory = write_memory_map(command, trainer, graph_of_step());

  const std::string_view kind = is_trained ? "training" : "prediction";
  Progress progress;
  progress.begin_compiling(kind);
  const CompiledStep& step =
      is_trained ? trainer.compiled_step(batch_size) : trainer.compiled_prediction(batch_size);
  progress.end_compiling(step.report(), step.memory(), kind);

  const ir::Graph graph = graph_of_step();

  Json texts = Json::object();
  for (const auto& [stage, is_asked] :
       {std::pair{"graph", command.graph}, std::pair{"plan", command.plan},
        std::pair{"source", command.source}}) {
    if (!is_asked) continue;
    const std::string text = step.text(stage);
    if (text.empty())
      refuse_option("--" + std::string(stage), "device {} has none to show",
                    trainer.session().device());
    texts[stage] = text;
  }
  if (!command.json && !texts.empty()) {
    for (const auto& [stage, text] : texts.items())
      print_text(text.get_ref<const std::string&>() + "\n");
    return 0;
  }

  std::int64_t parameters = 0, trainable = 0;
  for (const Variable& weight : trainer.weights()) {
    const std::int64_t count = element_count(weight.shape());
    parameters += count;
    if (weight.is_trainable()) trainable += count;
  }
  const double forward = forward_flops(trainer), whole = count_flops(graph);
  if (command.json) {
    Json weights = Json::array();
    for (const Variable& weight : trainer.weights())
      weights.push_back({{"name", weight.name()},
                         {"type", to_string(weight.type())},
                         {"trainable", weight.is_trainable()}});
    Json json = {{"command", "inspect"},
                 {"summary", trainer.summary()},
                 {"weights", std::move(weights)},
                 {"parameters", parameters},
                 {"trainable_parameters", trainable},
                 {"batch_size", batch_size},
                 {"flops_per_prediction", forward},
                 {"flops_per_step", whole},
                 {"step", kind},
                 {"step_buffer_bytes", memory_json(step.memory())},
                 {"compile_memory_bytes", step.report().memory_bytes},
                 {"kernels", step.report().kernels},
                 {"compile_seconds", step.report().seconds}};
    for (auto& [stage, text] : texts.items()) json[stage] = text;
    if (memory) json["memory_map"] = command.memory_map;
    print_json(json);
    return 0;
  }
  print_text(trainer.summary());
  Facts facts = {{"device", std::string(trainer.session().device())}};
  if (!is_trained)
    facts.emplace_back("step shown", "the one that predicts: weights of 8 bits are not trained");
  facts.insert(facts.end(),
               {{"FLOPs of one prediction", scaled_text(forward)},
                {fmt::format("FLOPs of a step of {}", batch_size), scaled_text(whole)},
                {"buffers of the step", memory_text(step.memory(), data_name(graph, batch_size))}});
  if (is_trained && samples_of(graph) == batch_size)
    facts.emplace_back("",
                       "a training has all samples in memory there, not a batch of them, unless "
                       "--workers streams them");
  facts.insert(facts.end(), {{"kernels", fmt::format("{}", step.report().kernels)},
                             {"compile time", duration_text(step.report().seconds) +
                                                  (step.report().was_cached ? " (cached)" : "")}});
  if (memory) facts.emplace_back("picture of the memory", command.memory_map);
  print_text(facts_text(facts));
  return 0;
}

}  // namespace

void add_inspect(CLI::App& program, Action& action) {
  CLI::App* app =
      program.add_subcommand("inspect", "layers, cost and generated code of a run or a model");
  const auto command = std::make_shared<InspectCommand>();
  add_options(*app, *command);
  app->callback([command, &action] { action = [command] { return run_inspect(*command); }; });
}

}  // namespace tenon::cli
