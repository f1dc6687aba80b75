// tenon evaluate
#include <nlohmann/json.hpp>

#include "tenon/cli/commands.h"
#include "tenon/cli/open_data.h"
#include "tenon/cli/open_run.h"
#include "tenon/cli/output.h"
#include "tenon/cli/text.h"
#include "tenon/cli/train_report.h"

namespace tenon::cli {
namespace {

struct EvaluateCommand {
  std::string run, weights, validation;
  DataOptions data;
  DeviceOptions device;
  bool json = false;
};

// The part of the data that `tenon train --validation FRACTION` held out, with the run's seed.
data::Dataset held_out_part(const EvaluateCommand& command, const Trainer& trainer,
                            const DataOptions& options) {
  const data::Dataset all = with_weights_of_file(open_all_for(trainer, options).train, options);
  return split_validation(all, command.validation, trainer.options().seed).second;
}

int run_evaluate(const EvaluateCommand& command) {
  if (command.run.empty()) refuse_option("RUN", "missing: the folder of a run");
  if (command.data.data.empty()) refuse_option("--data", "missing, as in --data fashion-mnist");
  Trainer trainer = open_run(command.run, command.weights, command.device);
  const DataOptions options = with_tokenizer_of(command.run, command.data);
  const data::Dataset dataset = command.validation.empty()
                                    ? open_data_for(trainer, options)
                                    : held_out_part(command, trainer, options);
  const Evaluation evaluation = trainer.evaluate(dataset);
  if (command.json) {
    nlohmann::json json = evaluation_json(evaluation);
    json["command"] = "evaluate";
    json["run"] = command.run;
    json["data"] = dataset.name();
    print_json(json);
    return 0;
  }
  Facts facts = {{"samples", grouped_text(evaluation.samples)},
                 {"loss", fmt::format("{:.6g}", evaluation.loss)}};
  for (const auto& [name, value] : evaluation.metrics)
    facts.emplace_back(name, fmt::format("{:.6g}", value));
  print_text(facts_text(facts));
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("evaluate", "loss and metrics of a trained model on data");
  const auto command = std::make_shared<EvaluateCommand>();
  add_text(*app, "run", command->run, help_text("the folder of a run", Need::required), "RUN");
  add_data_options(*app, command->data, Need::required);
  add_text(*app, "--validation", command->validation,
           "evaluate only the part that tenon train --validation FRACTION held out of this data",
           "FRACTION");
  add_weights_option(*app, command->weights);
  add_device_options(*app, command->device);
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_evaluate(*command); }; });
}

}  // namespace tenon::cli
