#include "tenon/cli/distill_options.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tenon/train/distill.h"

namespace tenon::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTeacher = "--teacher";
constexpr const char* kTemperature = "--distill-temperature";
constexpr const char* kWeight = "--distill-weight";

double temperature_of(const DistillOptions& options) {
  if (options.temperature.empty()) return nn::Distilled().temperature;
  const double temperature = parse_number(kTemperature, options.temperature);
  if (!(temperature > 0)) refuse_option(kTemperature, "must be above 0, got {}", temperature);
  return temperature;
}

double weight_of(const DistillOptions& options) {
  if (options.weight.empty()) return nn::Distilled().alpha;
  const double weight = parse_number(kWeight, options.weight);
  if (!(weight >= 0 && weight <= 1)) refuse_option(kWeight, "must be from 0 to 1, got {}", weight);
  return weight;
}

// A folder for a moment.
class MomentaryFolder {
 public:
  MomentaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "tenon-student-XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, "cannot make a folder in {}",
            fs::temp_directory_path().string());
    path_ = pattern;
  }
  ~MomentaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  MomentaryFolder(const MomentaryFolder&) = delete;
  MomentaryFolder& operator=(const MomentaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Trainer student_alone(Trainer& student, const std::string& run, const LoadOptions& loading) {
  if (!run.empty()) return load(run, loading);
  const MomentaryFolder folder;
  student.save(folder.path());
  return load(folder.path(), loading);
}

}  // namespace

void add_distill_options(CLI::App& app, DistillOptions& options) {
  add_text(app, kTeacher, options.teacher,
           "a run whose model the new one learns to be like, beside the classes", "RUN");
  add_text(app, kTemperature, options.temperature,
           "what the logits of both are divided by (2): above 1 for softer probabilities",
           "NUMBER");
  add_text(app, kWeight, options.weight,
           "of the teacher's part of the loss, from 0 to 1 (0.5); the classes have the rest",
           "NUMBER");
}

void check_distill_options(const DistillOptions& options) {
  temperature_of(options);
  weight_of(options);
  if (!options.teacher.empty()) return;
  if (!options.temperature.empty())
    refuse_option(kTemperature, "says how --teacher is listened to, which is missing");
  if (!options.weight.empty())
    refuse_option(kWeight, "says how --teacher is listened to, which is missing");
}

std::optional<Trainer> load_teacher(const DistillOptions& options, const data::Source& train,
                                    const LoadOptions& loading, DType dtype) {
  if (options.teacher.empty()) return std::nullopt;
  Trainer teacher = load(options.teacher, loading);
  const nn::Loss& loss = teacher.options().loss;
  if (!train.has_classes())
    refuse_option(kTeacher, "a teacher is of classes, the labels of {} are numbers", train.name());
  if (loss.targets != nn::TargetKind::classes || !loss.from_logits)
    refuse_option(kTeacher, "{} was trained with {}; a teacher gives logits of classes",
                  options.teacher, loss.name);
  if (teacher.options().dtype != dtype)
    refuse_option("--dtype", "the weights of the teacher {} are {}, got {}", options.teacher,
                  name(teacher.options().dtype), name(dtype));
  if (teacher.row_types().x != train.x_row())
    refuse_option(kTeacher, "{} takes samples of {}, those of {} are {}", options.teacher,
                  teacher.row_types().x, train.name(), train.x_row());
  return teacher;
}

nn::Layer with_teacher(nn::Layer student, Trainer& teacher, const DistillOptions& options) {
  return nn::Distilled{std::move(student), frozen_teacher(teacher), temperature_of(options),
                       weight_of(options)};
}

void require_same_scaling(const Trainer& teacher, const Trainer& student) {
  const data::Normalization& wanted = teacher.normalization();
  const data::Normalization& found = student.normalization();
  if (wanted.kind != found.kind)
    refuse_option("--normalize", "the teacher scales its inputs by {}, got {}", name(wanted.kind),
                  name(found.kind));
  if (!(wanted.scale == found.scale && wanted.offset == found.offset))
    refuse_option(kTeacher,
                  "it scales its inputs by what its own training data was ({}), which is not this "
                  "data; train it on this data, or both with other --normalize",
                  name(wanted.kind));
}

Compression compare_with_teacher(Trainer& teacher, Trainer& student, const std::string& run,
                                 const data::Dataset& dataset, const LoadOptions& loading) {
  Trainer alone = student_alone(student, run, loading);
  Compression compression = compare_models(teacher, alone, dataset);
  const auto is_missing_in = [](const Evaluation& other) {
    return [&other](const auto& metric) {
      return std::ranges::none_of(other.metrics,
                                  [&](const auto& known) { return known.first == metric.first; });
    };
  };
  std::erase_if(compression.before.metrics, is_missing_in(compression.after));
  std::erase_if(compression.after.metrics, is_missing_in(compression.before));
  return compression;
}

}  // namespace tenon::cli
