#include "tests/end_to_end/training_runs.h"

#include "tenon/base/error.h"
#include "tenon/base/scalar_convert.h"
#include "tenon/base/text.h"
#include "tenon/base/threefry.h"
#include "tenon/io/npz.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

// A model's options and the data that it takes.
struct SmallModel {
  std::vector<std::string> options;
  std::string_view data = "images";  // images, large-images, masks, sounds or ids
};

// Sizes that compile fast, fill no vector evenly and yet give several threads something to do.
const std::map<std::string, SmallModel> kSmallSizes = {
    {"mlp", {{"--model", "mlp", "--hidden", "100"}}},
    {"lenet",
     {{"--model", "lenet", "--filters", "3,5", "--hidden", "none", "--augment",
       "flip,crop:padding=1"}}},
    {"linear-regression", {{"--model", "linear-regression"}, "large-images"}},
    {"logistic-regression", {{"--model", "logistic-regression"}, "large-images"}},
    {"resnet20", {{"--model", "resnet20:width=3:blocks=1"}}},
    {"resnet32", {{"--model", "resnet32:width=3:blocks=1:projected=1"}}},
    {"resnet56", {{"--model", "resnet56:width=3:blocks=2"}}},
    {"resnet18", {{"--model", "resnet18:width=3:blocks=1/1"}}},
    {"resnet50", {{"--model", "resnet50:width=2:blocks=1/1:small=1"}}},
    {"mobilenet-v2", {{"--model", "mobilenet-v2:width=0.1:stages=2:blocks=1:small=1"}}},
    {"unet", {{"--model", "unet:width=3:depth=1"}, "masks"}},
    {"vit",
     {{"--model", "vit:patch=2:width=33:heads=3:layers=1:dropout=0.1", "--augment",
       "flip,crop:padding=1"}}},
    {"autoencoder", {{"--model", "autoencoder:hidden=33:code=5", "--task", "reconstruction"}}},
    {"conv-autoencoder", {{"--model", "conv-autoencoder:filters=3", "--task", "reconstruction"}}},
    {"vae", {{"--model", "vae:hidden=33:code=5", "--task", "reconstruction"}}},
    {"speech-commands",
     {{"--model", "speech-commands:filters=3:blocks=1:rate=2000:bands=9"}, "sounds"}},
    {"gpt", {{"--model", "gpt:layers=1:heads=3:width=9:dropout=0.1"}, "ids"}},
    {"char-lstm", {{"--model", "char-lstm:units=33:embedding=17"}, "ids"}},
    {"bert", {{"--model", "bert:layers=1:heads=3:width=9:hidden=21"}, "ids"}},
    {"electra",
     {{"--model", "electra:layers=1:heads=3:width=9:hidden=21:generator_width=6:generator_heads=2"},
      "ids"}},
};

// What a brief run learns from: as many samples as two epochs of kBriefSteps steps need.
void write_arrays(const std::string& file, std::string_view kind) {
  constexpr std::int64_t kCount = ModelRuns::kBriefSteps / 2 * ModelRuns::kBriefBatch;
  ThreefrySequence random{12};
  const auto fill = [&]<class T>(TypeTag<T>, const Shape& row, int below, double scale) {
    Shape shape = row;
    shape.insert(shape.begin(), kCount);
    HostTensor tensor({*kDTypeOf<T>, shape});
    for (T& element : tensor.as<T>())
      element = static_cast<T>(static_cast<double>(random.below(below)) * scale);
    return tensor;
  };
  constexpr int kClasses = 5, kSide = 14, kLargeSide = 40, kSamples = 200, kTime = 11;
  constexpr TypeTag<std::int32_t> kLabel;
  if (kind == "sounds") {
    io::write_npz(file, {{"x", fill(TypeTag<float>(), {kSamples}, 1000, 1e-3)},
                         {"y", fill(kLabel, {}, kClasses, 1)}});
  } else if (kind == "ids") {
    io::write_npz(file, {{"x", fill(kLabel, {kTime}, 7, 1)}, {"y", fill(kLabel, {kTime}, 7, 1)}});
  } else {
    const std::int64_t side = kind == "large-images" ? kLargeSide : kSide;
    io::write_npz(
        file, {{"x", fill(TypeTag<std::uint8_t>(), {side, side}, 256, 1)},
               {"y", fill(kLabel, kind == "masks" ? Shape{kSide, kSide} : Shape{}, kClasses, 1)}});
  }
}

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

ModelRuns& ModelRuns::of(const std::string& model, Length length) {
  static std::map<std::pair<std::string, Length>, std::unique_ptr<ModelRuns>> runs;
  std::unique_ptr<ModelRuns>& found = runs[{model, length}];
  if (!found) found = std::make_unique<ModelRuns>(model, length);
  return *found;
}

ModelRuns::ModelRuns(const std::string& model, Length length) {
  const auto sizes = kSmallSizes.find(model);
  require(sizes != kSmallSizes.end(),
          "`tenon train` offers --model {0}, whose promises about numbers are not tested\n  help: "
          "add small sizes for {0} to kSmallSizes in tests/end_to_end/training_runs.cpp",
          model);
  arguments_ = {"train"};
  const std::vector<std::string>& options = sizes->second.options;
  arguments_.insert(arguments_.end(), options.begin(), options.end());
  std::vector<std::string> more;
  if (length == Length::whole) {
    fs::create_directories(folder_ / "images");
    write_images(folder_ / "images");
    more = {"--data",       "idx:" + (folder_ / "images"),
            "--epochs",     "3",
            "--batch-size", "32",
            "--validation", "0.2"};
  } else {
    write_arrays(folder_ / "data.npz", sizes->second.data);
    more = {"--data",       "npz:" + (folder_ / "data.npz"), "--epochs",  "2",
            "--batch-size", std::to_string(kBriefBatch),     "--metrics", "none"};
  }
  arguments_.insert(arguments_.end(), more.begin(), more.end());
  arguments_.insert(arguments_.end(), {"--optimizer", "adam", "--learning-rate", "0.01", "--seed",
                                       "5", "--log-every", "1"});
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

bool ModelRuns::uses_threads(const Variant& variant) const {
  for (const std::string& source : sources_of(variant))
    if (source.find("runtime->parallel(") != std::string::npos) return true;
  return false;
}

std::multiset<std::string> ModelRuns::sources_of(const Variant& variant) const {
  std::multiset<std::string> sources;
  for (const fs::directory_entry& entry : fs::directory_iterator(cache_of(variant)))
    if (entry.path().extension() == ".c") sources.insert(io::read_text_file(entry.path()));
  return sources;
}

}  // namespace tenon
