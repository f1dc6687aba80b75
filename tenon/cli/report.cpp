// tenon report
#include <nlohmann/json.hpp>

#include "tenon/cli/commands.h"
#include "tenon/cli/open_data.h"
#include "tenon/cli/open_run.h"
#include "tenon/cli/output.h"
#include "tenon/cli/report_page.h"
#include "tenon/cli/train_report.h"
#include "tenon/io/file.h"
#include "tenon/train/checkpoint.h"

namespace tenon::cli {
namespace {

struct ReportCommand {
  std::string run, weights, out;
  std::int64_t mistakes = 24;
  DataOptions data;
  DeviceOptions device;
  bool json = false;
};

int run_report(const ReportCommand& command) {
  if (command.run.empty()) refuse_option("RUN", "missing: the folder of a run");
  Trainer trainer = open_run(command.run, command.weights, command.device);
  RunReport report = report_run(trainer, command.run);
  if (!command.data.data.empty())
    report_data(report, trainer,
                open_data_for(trainer, with_tokenizer_of(command.run, command.data)),
                command.mistakes);
  const std::string file = command.out.empty()
                               ? (std::filesystem::path(command.run) / "report.html").string()
                               : command.out;
  const std::string page = report_page(report);
  io::write_file_atomically(file, page);
  if (!command.json) {
    print_text(fmt::format("{} ({})\n", file, bytes_text(static_cast<std::int64_t>(page.size()))));
    return 0;
  }
  nlohmann::json json = {{"command", "report"},
                         {"run", command.run},
                         {"file", file},
                         {"bytes", page.size()},
                         {"mistakes", report.mistakes.size()}};
  json["evaluation"] = report.evaluation ? evaluation_json(*report.evaluation) : nlohmann::json();
  print_json(json);
  return 0;
}

}  // namespace

void add_report(CLI::App& program, Action& action) {
  CLI::App* app = program.add_subcommand("report", "a page about a run, for a browser");
  const auto command = std::make_shared<ReportCommand>();
  constexpr std::int64_t kMostMistakes = 1000;
  add_text(*app, "run", command->run, help_text("the folder of a run", Need::required), "RUN");
  add_data_options(*app, command->data, Need::optional);
  add_text(*app, "--out", command->out, "the page; report.html in the run's folder if not given",
           "FILE");
  add_count(*app, "--mistakes", command->mistakes, 0, kMostMistakes,
            "how many examples of what was predicted wrong");
  add_weights_option(*app, command->weights);
  add_device_options(*app, command->device);
  add_json_option(*app, command->json);
  app->callback([command, &action] { action = [command] { return run_report(*command); }; });
}

}  // namespace tenon::cli
