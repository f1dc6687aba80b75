// tenon inspect
#include <nlohmann/json.hpp>

#include "tenon/base/text.h"
#include "tenon/cli/commands.h"
#include "tenon/cli/flops.h"
#include "tenon/cli/model_options.h"
#include "tenon/cli/open_data.h"
#include "tenon/cli/output.h"
#include "tenon/cli/text.h"
#include "tenon/cli/train_report.h"
#include "tenon/models/catalog.h"
#include "tenon/session/program.h"
#include "tenon/train/quantize.h"

namespace tenon::cli {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kTextWindow = 64;  // tokens of a text, as --window has it

struct InspectCommand {
  std::string run;
  ModelOptions model;
  DataOptions data;
  DeviceOptions device;
  std::vector<std::int64_t> input_shape{28, 28};
  std::int64_t classes = 10;
  std::int64_t batch_size = 128;
  std::string dtype = "f32";
  bool has_input_shape = false, has_classes = false, has_batch_size = false, has_dtype = false;
  bool graph = false, plan = false, source = false, json = false;
};

void add_options(CLI::App& app, InspectCommand& command) {
  add_text(app, "run", command.run, "the folder of a run; or give --model", "RUN");
  add_model_options(app, command.model, Need::optional);
  add_data_options(app, command.data, Need::optional);
  app.add_option_function<std::string>(
         "--input-shape",
         [&command](const std::string& text) {
           command.input_shape.clear();
           for (const std::string_view part : split(text, ','))
             command.input_shape.push_back(
                 parse_count("--input-shape", std::string(part), 1, 1 << 24));
           command.has_input_shape = true;
         },
         "of one sample, without --data (28,28; of models of texts 64 tokens)")
      ->type_name("N,N,...");
  const auto add = [&](const char* name, std::int64_t& value, bool& is_given, std::int64_t low,
                       const char* help) {
    app.add_option_function<std::string>(
           name,
           [&value, &is_given, name, low](const std::string& text) {
             value = parse_count(name, text, low, 1 << 24);
             is_given = true;
           },
           help)
        ->type_name("N");
  };
  add("--classes", command.classes, command.has_classes, 2, "without --data (10)");
  add("--batch-size", command.batch_size, command.has_batch_size, 1,
      "of the step shown (the run's, or 128)");
  add_choice(app, "--dtype", command.dtype, {"f32", "f64"}, "element type of the weights");
  add_device_options(app, command.device);
  app.add_flag("--graph", command.graph, "print the graph of the training step");
  app.add_flag("--plan", command.plan, "print its plan: kernels, order, buffers");
  app.add_flag("--source", command.source, "print its source code");
  add_json_option(app, command.json);
}

// What the model gives for one sample, without the classes: a label for each of these.
Shape labels_of(const nn::Layer& model, const TensorType& row, DType dtype) {
  Shape shape = trace_one_sample(model, row, dtype).shape();
  if (shape.size() > 1) shape.pop_back();
  return shape;
}

// One sample of zeros with its labels, where there is no data.
data::Dataset stand_in(const InspectCommand& command) {
  const bool are_ids = models::takes_ids(command.model.model);
  Shape row = command.input_shape;
  if (are_ids && !command.has_input_shape) row = {kTextWindow};
  if (are_ids && row.size() != 1)
    refuse_option("--input-shape", "{} takes texts; one number of tokens expected, got {}",
                  models::model_name(command.model.model), join(row, ","));
  // Images are bytes; a list of features is not.
  const TensorType type{are_ids ? DType::i32 : row.size() > 1 ? DType::u8 : DType::f32, row};
  Shape shape{1}, labels{1};
  shape.insert(shape.end(), row.begin(), row.end());
  if (are_ids)
    labels = shape;
  else
    labels = labels_of(make_model(command.model, type, command.classes), type,
                       *parse_dtype(command.dtype));
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < command.classes; ++i) names.push_back(fmt::format("{}", i));
  return {"zeros", HostTensor({type.dtype, shape}), data::Array(HostTensor({DType::i32, labels})),
          names};
}

Trainer open_trainer(InspectCommand& command) {
  const bool keep_texts = command.graph || command.plan || command.source;
  const int threads = static_cast<int>(command.device.threads);
  if (!command.run.empty()) {
    Trainer trainer =
        load(command.run,
             {.device = command.device.device, .threads = threads, .keep_texts = keep_texts});
    if (!command.has_batch_size && trainer.training().batch_size > 0)
      command.batch_size = trainer.training().batch_size;
    return trainer;
  }
  if (!command.data.data.empty() && (command.has_input_shape || command.has_classes))
    refuse_option(command.has_classes ? "--classes" : "--input-shape",
                  "excludes --data, which says it");
  const data::Dataset dataset =
      command.data.data.empty()
          ? stand_in(command)
          : open_data(command.data.data, command.data, *parse_dtype(command.dtype), {}).train;
  if (!command.data.data.empty()) require_two_classes(dataset);
  const TensorType row{dataset.x().dtype(), dataset.x().row_shape()};
  const bool has_classes = dataset.has_classes();
  const std::int64_t outputs =
      has_classes ? dataset.class_count() : element_count(dataset.y().row_shape());
  TrainerOptions options;
  options.loss =
      has_classes ? nn::sparse_categorical_cross_entropy_from_logits : nn::mean_squared_error;
  if (has_classes) options.metrics = {nn::accuracy};
  options.device = command.device.device;
  options.threads = threads;
  options.dtype = *parse_dtype(command.dtype);
  options.keep_texts = keep_texts;
  Trainer trainer(make_model(command.model, row, outputs), std::move(options));
  trainer.build(dataset);
  return trainer;
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

int run_inspect(InspectCommand command) {
  if (command.run.empty() && command.model.model.empty())
    refuse_option("RUN", "missing: the folder of a run, or --model");
  if (!command.run.empty() && !command.model.model.empty())
    refuse_option("--model", "excludes a run, which has its own");
  Trainer trainer = open_trainer(command);
  // Weights of 8 bits are not trained: there is a step that predicts, and no other.
  const bool is_trained = !is_quantized(trainer);
  const CompiledStep& step = is_trained ? trainer.compiled_step(command.batch_size)
                                        : trainer.compiled_prediction(command.batch_size);

  Json texts = Json::object();
  for (const auto& [stage, is_asked] :
       {std::pair{"graph", command.graph}, std::pair{"plan", command.plan},
        std::pair{"source", command.source}}) {
    if (!is_asked) continue;
    const std::string text = step.text(stage);
    require(!text.empty(), "device {} has no {} to show", trainer.session().device(), stage);
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
  const double forward = forward_flops(trainer), whole = count_flops(step.graph());
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
                 {"batch_size", command.batch_size},
                 {"flops_per_prediction", forward},
                 {"flops_per_step", whole},
                 {"step", is_trained ? "training" : "prediction"},
                 {"step_buffer_bytes", memory_json(step.memory())},
                 {"kernels", step.report().kernels},
                 {"compile_seconds", step.report().seconds}};
    for (auto& [stage, text] : texts.items()) json[stage] = text;
    print_json(json);
    return 0;
  }
  print_text(trainer.summary());
  Facts facts = {{"device", std::string(trainer.session().device())}};
  if (!is_trained)
    facts.emplace_back("step shown", "the one that predicts: weights of 8 bits are not trained");
  facts.insert(facts.end(),
               {{"FLOPs of one prediction", scaled_text(forward)},
                {fmt::format("FLOPs of a step of {}", command.batch_size), scaled_text(whole)},
                {"buffers of the step", memory_text(step.memory())},
                {"kernels", fmt::format("{}", step.report().kernels)},
                {"compile time", duration_text(step.report().seconds) +
                                     (step.report().was_cached ? " (cached)" : "")}});
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
