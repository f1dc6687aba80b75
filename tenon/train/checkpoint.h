// The files of a run folder, and checkpoints: two files that are always of one moment.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "tenon/io/named_tensors.h"

namespace tenon {

// The paths in a run folder.
struct RunFiles {
  std::filesystem::path folder;

  std::filesystem::path description() const { return folder / "run.json"; }
  std::filesystem::path model() const { return folder / "model.safetensors"; }
  std::filesystem::path state() const { return folder / "state.safetensors"; }
  // Moving averages of the weights, in place of the weights.
  std::filesystem::path averages() const { return folder / "averages.safetensors"; }
  // The best weights so far, checkpoints of the last epochs, event files: by callbacks.
  std::filesystem::path best() const { return folder / "best.safetensors"; }
  std::filesystem::path checkpoints() const { return folder / "checkpoints"; }
  std::filesystem::path tensorboard() const { return folder / "tensorboard"; }
  std::filesystem::path report() const { return folder / "report.html"; }
  // The state of a checkpoint that is being written.
  std::filesystem::path next_state() const { return folder / "state.next.safetensors"; }
  std::filesystem::path metrics() const { return folder / "metrics.csv"; }
  std::filesystem::path curves() const { return folder / "curves.svg"; }
  // What the last training cost.
  std::filesystem::path cost() const { return folder / "cost.json"; }
  // The folder's own name, "first" of "runs/first/".
  std::string title() const {
    return (folder / "").lexically_normal().parent_path().filename().string();
  }
};

struct Checkpoint {
  io::NamedTensors weights;  // model.safetensors
  io::NamedTensors state;    // state.safetensors: all else that a run needs to go on
};

// Writes both files. They carry one number made from their content; renaming model.safetensors is
// the moment at which the new checkpoint replaces the old one, so that a process killed at any
// moment leaves a model and a state of one checkpoint. UserError if a file cannot be written.
void write_checkpoint(const RunFiles& files, const Checkpoint& checkpoint);

// The model and the state that belongs to it; no state if there is none of the same checkpoint.
// Writes nothing. UserError if a file is not what it should be.
struct StoredCheckpoint {
  io::NamedTensors weights;
  std::optional<io::NamedTensors> state;
};
StoredCheckpoint read_checkpoint(const RunFiles& files);

// A run folder that this process trains in; another one that tries is told so. UserError.
class RunLock {
 public:
  // Makes the folder if it is not there; one that was made and is empty at the end is removed.
  explicit RunLock(const std::filesystem::path& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::filesystem::path made_;  // empty if it was there
  int descriptor_ = -1;
};

// Whether the folder holds files of a run, complete or not.
bool holds_run_files(const RunFiles& files);
// Whether there is a run to go on with: none if the folder holds no file of one, or was left before
// its first checkpoint. UserError if there are files of a run without the description of one.
bool can_resume(const RunFiles& files);
// Removes what a killed process left half-written; the caller holds the lock of the folder.
void remove_temporaries(const RunFiles& files);
// Does that and finishes a checkpoint whose model is there.
void repair_run(const RunFiles& files);
// Removes every file of a run, run.json first, half-written ones included, and what callbacks and
// `tenon report` wrote beside them; other files stay.
void remove_run(const RunFiles& files);

}  // namespace tenon
