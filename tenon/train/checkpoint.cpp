#include "tenon/train/checkpoint.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tenon/base/error.h"
#include "tenon/base/hash.h"
#include "tenon/io/file.h"
#include "tenon/io/safetensors.h"
#include "tenon/version.h"

namespace tenon {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpointKey = "checkpoint";

std::uint64_t add_hash(std::uint64_t hash, const io::NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    hash = hash_combine(hash, hash_text(fmt::format("{} {}", name, tensor.type())));
    hash = hash_combine(hash, hash_bytes(tensor.bytes()));
  }
  return hash;
}

std::string checkpoint_number(const Checkpoint& checkpoint) {
  return fmt::format("{:016x}", add_hash(add_hash(0, checkpoint.weights), checkpoint.state));
}

std::string number_in(const io::Safetensors& file) {
  const auto found = file.metadata.find(kCheckpointKey);
  return found == file.metadata.end() ? "" : found->second;
}

void rename_file(const fs::path& from, const fs::path& to) {
  require(::rename(from.c_str(), to.c_str()) == 0, "cannot write {}: {}", to.string(),
          std::strerror(errno));
}

void remove_file(const fs::path& path) {
  require(::unlink(path.c_str()) == 0 || errno == ENOENT, "cannot remove {}: {}", path.string(),
          std::strerror(errno));
}

std::vector<fs::path> all_files(const RunFiles& files) {
  return {files.description(), files.model(),   files.averages(), files.state(),
          files.next_state(),  files.metrics(), files.curves(),   files.cost()};
}

// What a folder holds under names that begin so, but links; nothing if there is no such folder.
std::vector<fs::path> entries_of(const fs::path& folder, std::string_view beginning) {
  std::vector<fs::path> entries;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
    if (!entry.is_symlink(ignored) && entry.path().filename().string().starts_with(beginning))
      entries.push_back(entry.path());
  return entries;
}

void remove_if_empty(const fs::path& folder) { ::rmdir(folder.c_str()); }

void remove_own_files(const RunFiles& files) {
  for (const fs::path& path : all_files(files)) {
    io::remove_temporaries(path);
    remove_file(path);
  }
  remove_file(files.best());
}

}  // namespace

void write_checkpoint(const RunFiles& files, const Checkpoint& checkpoint) {
  const std::map<std::string, std::string> metadata = {
      {kCheckpointKey, checkpoint_number(checkpoint)}, {"tenon", TENON_VERSION}};
  io::write_safetensors(files.next_state(), checkpoint.state, metadata);
  io::write_safetensors(files.model(), checkpoint.weights, metadata);
  rename_file(files.next_state(), files.state());
}

StoredCheckpoint read_checkpoint(const RunFiles& files) {
  io::Safetensors model = io::read_safetensors(files.model());
  StoredCheckpoint stored;
  stored.weights = std::move(model.tensors);
  const std::string number = number_in(model);
  if (number.empty()) return stored;
  for (const fs::path& path : {files.state(), files.next_state()}) {
    if (!io::file_exists(path)) continue;
    io::Safetensors state = io::read_safetensors(path);
    if (number_in(state) != number) continue;
    stored.state = std::move(state.tensors);
    break;
  }
  return stored;
}

RunLock::RunLock(const fs::path& folder) {
  if (!io::folder_exists(folder)) made_ = folder;
  io::make_folders(folder);
  descriptor_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  require(descriptor_ >= 0, "cannot open the folder {}: {}", folder.string(), std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  // File systems without locks are used without.
  if (reason != EWOULDBLOCK) return;
  ::close(descriptor_);
  throw UserError(fmt::format("another process is training in {}", folder.string()));
}

RunLock::~RunLock() {
  if (!made_.empty()) ::rmdir(made_.c_str());  // does nothing to a folder that holds something
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool can_resume(const RunFiles& files) {
  const bool is_described = io::file_exists(files.description());
  for (const fs::path& path : {files.model(), files.state(), files.metrics(), files.curves()}) {
    if (!io::file_exists(path)) continue;
    require(is_described,
            "{} holds {} but no run.json: the run cannot go on\n  help: put run.json back, replace "
            "the run (overwrite), or choose another folder",
            files.folder.string(), path.filename().string());
    return true;
  }
  return false;
}

bool holds_run_files(const RunFiles& files) {
  return std::ranges::any_of(all_files(files),
                             [](const fs::path& path) { return io::file_exists(path); });
}

void remove_temporaries(const RunFiles& files) {
  for (const fs::path& target : all_files(files)) io::remove_temporaries(target);
}

void repair_run(const RunFiles& files) {
  remove_temporaries(files);
  if (!io::file_exists(files.next_state())) return;
  bool is_newest = false;
  if (io::file_exists(files.model())) {
    const std::string number = number_in(io::read_safetensors(files.model()));
    is_newest = !number.empty() && number_in(io::read_safetensors(files.next_state())) == number;
  }
  if (is_newest)
    rename_file(files.next_state(), files.state());
  else
    remove_file(files.next_state());
}

void remove_run(const RunFiles& files) {
  remove_own_files(files);
  remove_file(files.report());
  for (const fs::path& epoch : entries_of(files.checkpoints(), "epoch-")) {
    remove_own_files(RunFiles{epoch});
    remove_if_empty(epoch);
  }
  remove_if_empty(files.checkpoints());
  for (const char* part : {"train", "validation"}) {
    for (const fs::path& events : entries_of(files.tensorboard() / part, "events.out.tfevents."))
      remove_file(events);
    remove_if_empty(files.tensorboard() / part);
  }
  remove_if_empty(files.tensorboard());
}

}  // namespace tenon
