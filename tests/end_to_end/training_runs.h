// Small runs of `tenon train`, one for each way of running the same training, as child processes.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/cli/cli_testing.h"

namespace tenon {

// The models that `tenon train --help` names.
std::vector<std::string> offered_models();

// One way of running a model's training. Equal in what is trained, but for `dtype`.
struct Variant {
  std::string name;  // of its folder
  std::string dtype = "f32";
  int threads = 1;
  std::string compiler = "gcc";
  int vector_bytes = 64;
  std::string cache = "cache";  // folder of compiled code
  std::vector<std::string> more = {};
};

// A run in the background, until its result is asked for.
class Training {
 public:
  Training(const std::string& folder, const std::vector<std::string>& arguments,
           const std::vector<std::string>& environment);
  ~Training();
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  pid_t process() const { return process_; }
  // The exit status, once it has ended.
  int wait();
  std::string errors() const { return io::read_text_file(folder_ + "/err"); }

 private:
  std::string folder_;
  pid_t process_;
  int status_ = -1;
};

// The runs of one model, on images this makes up.
class ModelRuns {
 public:
  static constexpr int kSteps = 30;  // three epochs of ten, the last of 12 samples instead of 32

  // Whole: on images, with validation, a short last batch and metrics. Brief: one size of batch,
  // on data that the model takes.
  enum class Length { whole, brief };
  static constexpr int kBriefSteps = 6, kBriefBatch = 16;

  // Kept until the program ends. UserError if tests/end_to_end has no small sizes for the model.
  static ModelRuns& of(const std::string& model, Length length);
  ModelRuns(const std::string& model, Length length);

  // Starts a run, unless one of that name has been started.
  Training& start(const Variant& variant);
  // The folder of the run when it is done; a failed test if it did not end well.
  std::string run(const Variant& variant);

  std::string folder_of(const Variant& variant) const { return folder_ / variant.name; }
  std::string run_of(const Variant& variant) const { return folder_of(variant) + "/run"; }
  std::string cache_of(const Variant& variant) const { return folder_ / variant.cache; }
  // Whether the code of a variant gives threads something to do.
  bool uses_threads(const Variant& variant) const;
  // What the compiler was given, in no order.
  std::multiset<std::string> sources_of(const Variant& variant) const;
  void forget(const Variant& variant) { trainings_.erase(variant.name); }

 private:
  std::vector<std::string> arguments_;
  cli::TemporaryFolder folder_;
  std::map<std::string, std::unique_ptr<Training>> trainings_;  // ended before the folder goes
};

}  // namespace tenon
