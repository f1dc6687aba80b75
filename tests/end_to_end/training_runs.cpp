#include "tests/end_to_end/training_runs.h"

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/base/threefry.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

// Sizes that compile fast, fill no vector evenly and yet give several threads something to do.
const std::map<std::string, std::vector<std::string>> kSmallSizes = {
    {"mlp", {"--hidden", "100"}},
    {"lenet", {"--filters", "3,5", "--hidden", "none"}},
};

// Noise, with a band of rows that is brighter for each class.
void write_images(const std::string& folder) {
  constexpr std::uint16_t kSide = 14;
  constexpr int kClasses = 5;
  ThreefrySequence random{11};
  // A fifth of the training set is for validation, which is then as large as the test set.
  for (const auto& [part, count] : {std::pair<std::string, int>{"train", 375}, {"t10k", 75}}) {
    std::vector<unsigned char> pixels, labels;
    for (int i = 0; i < count; ++i) {
      const auto label = static_cast<int>(random.below(kClasses));
      labels.push_back(static_cast<unsigned char>(label));
      for (int pixel = 0; pixel < kSide * kSide; ++pixel) {
        const bool is_bright = pixel / kSide * kClasses / kSide == label;
        pixels.push_back(static_cast<unsigned char>(random.below(156) + (is_bright ? 100 : 0)));
      }
    }
    const auto rows = static_cast<std::uint16_t>(count);
    cli::write_idx(folder + "/" + part + "-images-idx3-ubyte", {rows, kSide, kSide}, pixels);
    cli::write_idx(folder + "/" + part + "-labels-idx1-ubyte", {rows}, labels);
  }
}

}  // namespace

std::vector<std::string> offered_models() {
  const std::string help = cli::run_tenon({"train", "--help"}).out;
  const std::string option = "--model ";
  const std::size_t place = help.find(option);
  if (place == std::string::npos) return {};
  const std::size_t first = place + option.size();
  const std::string names = help.substr(first, help.find_first_of(" =\n", first) - first);
  std::vector<std::string> models;
  for (const std::string_view name : split(names, '|')) models.emplace_back(name);
  return models;
}

Training::Training(const std::string& folder, const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment)
    : folder_(folder) {
  fs::create_directories(folder_);
  process_ = cli::start_tenon(arguments, folder_ + "/out", folder_ + "/err", environment);
}

Training::~Training() { wait(); }

int Training::wait() {
  if (status_ < 0) status_ = cli::exit_status(process_);
  return status_;
}

ModelRuns& ModelRuns::of(const std::string& model) {
  static std::map<std::string, std::unique_ptr<ModelRuns>> runs;
  std::unique_ptr<ModelRuns>& found = runs[model];
  if (!found) found = std::make_unique<ModelRuns>(model);
  return *found;
}

ModelRuns::ModelRuns(const std::string& model) {
  const auto sizes = kSmallSizes.find(model);
  require(sizes != kSmallSizes.end(),
          "`tenon train` offers --model {0}, whose promises about numbers are not tested\n  help: "
          "add small sizes for {0} to kSmallSizes in tests/end_to_end/training_runs.cpp",
          model);
  fs::create_directories(folder_ / "images");
  write_images(folder_ / "images");
  arguments_ = {"train", "--model", model, "--data", "idx:" + (folder_ / "images")};
  arguments_.insert(arguments_.end(), sizes->second.begin(), sizes->second.end());
  arguments_.insert(arguments_.end(),
                    {"--epochs", "3", "--batch-size", "32", "--validation", "0.2", "--optimizer",
                     "adam", "--learning-rate", "0.01", "--seed", "5", "--log-every", "1"});
}

Training& ModelRuns::start(const Variant& variant) {
  std::unique_ptr<Training>& training = trainings_[variant.name];
  if (training) return *training;
  std::vector<std::string> arguments = arguments_;
  arguments.insert(arguments.end(), {"--dtype", variant.dtype, "--threads",
                                     std::to_string(variant.threads), "--out", run_of(variant)});
  arguments.insert(arguments.end(), variant.more.begin(), variant.more.end());
  training = std::make_unique<Training>(
      folder_of(variant), arguments,
      std::vector<std::string>{"TENON_CC=" + variant.compiler,
                               "TENON_VECTOR_BYTES=" + std::to_string(variant.vector_bytes),
                               "TENON_CACHE_DIR=" + cache_of(variant), "TENON_KEEP_SOURCE=1"});
  return *training;
}

std::string ModelRuns::run(const Variant& variant) {
  Training& training = start(variant);
  EXPECT_EQ(training.wait(), 0) << variant.name << "\n" << training.errors();
  return run_of(variant);
}

std::multiset<std::string> ModelRuns::sources_of(const Variant& variant) const {
  std::multiset<std::string> sources;
  for (const fs::directory_entry& entry : fs::directory_iterator(cache_of(variant)))
    if (entry.path().extension() == ".c") sources.insert(io::read_text_file(entry.path()));
  return sources;
}

}  // namespace tenon
