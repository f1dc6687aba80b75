// Options whose values are only known to be wrong by the data, the model or the device: exit status
// 2 and the option's name, as for those that the parser refuses.
#include <algorithm>

#include "cli_testing.h"

namespace tenon::cli {
namespace {

TEST(RefusedLate, NamesTheOption) {
  const TemporaryFolder folder;
  write_points(folder / "points.csv", 30);
  const std::vector<std::string> model = {"--model", "mlp", "--hidden", "4"};
  const std::vector<std::string> data = {"--data", "csv:" + (folder / "points.csv"), "--batch-size",
                                         "8"};
  struct Case {
    std::string command;
    bool takes_data;
    std::vector<std::string> options;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"train",
       true,
       {"--metrics", "top_k_accuracy:k=9"},
       "--metrics: top_k_accuracy: the largest 9 of 3 outputs asked for"},
      {"train",
       true,
       {"--metrics", "accuracy,roc_auc"},
       "--metrics: roc_auc: expected two classes"},
      {"train",
       true,
       {"--ignore-columns", "across,down"},
       "--ignore-columns: " + (folder / "points.csv") + ": all columns are left out"},
      {"bench", true, {"--losses-at", "1", "--batch-size", "31"}, "--batch-size: "},
      {"profile", true, {"--batch-size", "31"}, "--batch-size: "},
      {"inspect", false, {"--skip", "hoists"}, "--skip: unknown optimisation \"hoists\"; known: "},
      {"inspect",
       false,
       {"--skip", "hoist", "--device", "reference"},
       "--skip: device reference has no optimisations to leave out"},
      {"profile", false, {"--skip", "hoists"}, "--skip: unknown optimisation \"hoists\"; known: "},
      {"profile", false, {"--device", "reference"}, "--device: reference has no kernels"},
      {"inspect",
       false,
       {"--plan", "--device", "reference"},
       "--plan: device reference has none to show"},
  };
  for (const Case& each : cases) {
    std::vector<std::string> arguments = {each.command};
    arguments.insert(arguments.end(), model.begin(), model.end());
    const bool has_size = std::ranges::find(each.options, "--batch-size") != each.options.end();
    if (each.takes_data) arguments.insert(arguments.end(), data.begin(), data.end() - 2 * has_size);
    arguments.insert(arguments.end(), each.options.begin(), each.options.end());
    const Outcome outcome = run_tenon(arguments);
    EXPECT_EQ(outcome.status, 2) << each.message;
    EXPECT_NE(outcome.err.find("error: "), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find(each.message), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

}  // namespace
}  // namespace tenon::cli
