// Sounds in a folder with one sub-folder for each class, read when they are needed.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tenon/data/class_folder.h"
#include "tenon/data/pipeline.h"

namespace tenon::data {

struct WavFolderOptions {
  std::int64_t frames = 0;  // every sound is cut or filled up with silence to it; 0: left as it is
  bool mono = true;         // the mean of the channels
  std::int64_t rate = 0;    // that every file must have; 0: that of the first one that is read
  std::vector<std::string> class_names = {};  // of a trained model; the sorted sub-folders if empty
  std::uint64_t max_sound_bytes = std::uint64_t{1} << 28;  // of one sound as f32
};

// The list of files; a value, copies share it.
class WavFolder {
 public:
  const std::string& name() const { return contents_->name; }
  std::int64_t size() const { return static_cast<std::int64_t>(contents_->listed.files.size()); }
  const std::vector<std::string>& class_names() const { return contents_->listed.class_names; }
  // Frames per second; 0 if no file can be read.
  std::int64_t rate() const { return contents_->options.rate; }
  const std::filesystem::path& file(std::int64_t index) const;
  std::int32_t label(std::int64_t index) const;

  // x: f32[frames], or f32[frames, channels] unless mono; y: i32[], the class. UserError naming the
  // file that cannot be read or has another rate.
  Sample read(std::int64_t index) const;
  // All samples in the order of classes and file names; reading is left to the workers.
  Pipeline pipeline() const;
  // The same; sounds of another length than the first one that can be read are bad samples, too.
  Pipeline equal_pipeline() const;
  // All sounds in memory. Without `bad`, one that cannot be read or is of another length than the
  // first one is a UserError; with it, they are left out and counted. UserError if none is left.
  Dataset load(int workers, const std::optional<BadSamples>& bad = std::nullopt) const;

 private:
  friend WavFolder wav_folder(const std::filesystem::path& folder, const WavFolderOptions& options);
  struct Contents {
    std::string name;
    WavFolderOptions options;
    ClassFiles listed;
  };
  std::shared_ptr<const Contents> contents_;
};

// The .wav files of each sub-folder. UserError as list_class_files, and for options out of range.
WavFolder wav_folder(const std::filesystem::path& folder, const WavFolderOptions& options = {});

// The mean of the channels: f32[frames, channels] -> f32[frames]. UserError for another type.
HostTensor mono_of(const HostTensor& samples);

}  // namespace tenon::data
