#include "tenon/data/wav_folder.h"

#include <algorithm>
#include <array>

#include "tenon/io/wav.h"

namespace tenon::data {
namespace {

// The first rows of the tensor, and zeros where it has fewer.
HostTensor with_rows(const HostTensor& tensor, std::int64_t rows) {
  TensorType type = tensor.type();
  type.shape.front() = rows;
  HostTensor result(std::move(type));
  const std::size_t bytes = std::min(tensor.bytes().size(), result.bytes().size());
  std::copy_n(tensor.bytes().begin(), bytes, result.bytes().begin());
  return result;
}

}  // namespace

HostTensor mono_of(const HostTensor& samples) {
  const Shape& shape = samples.shape();
  require(samples.dtype() == DType::f32 && shape.size() == 2 && shape[1] >= 1,
          "a sound is f32[frames, channels], not {}", samples.type());
  if (shape[1] == 1) return samples.reshaped({shape[0]});
  HostTensor mono({DType::f32, {shape[0]}});
  const auto channels = static_cast<std::size_t>(shape[1]);
  const float* next = samples.as<float>().data();
  for (float& value : mono.as<float>()) {
    double sum = 0;
    for (std::size_t i = 0; i < channels; ++i) sum += static_cast<double>(*next++);
    value = static_cast<float>(sum / static_cast<double>(channels));
  }
  return mono;
}

WavFolder wav_folder(const std::filesystem::path& folder, const WavFolderOptions& options) {
  require(options.frames >= 0 && options.rate >= 0,
          "sounds of {} frames at {} frames per second; neither can be negative", options.frames,
          options.rate);
  constexpr std::array<std::string_view, 1> kEndings = {".wav"};
  WavFolder::Contents contents{folder.string(), options,
                               list_class_files(folder, kEndings, options.class_names)};
  for (const std::filesystem::path& file : contents.listed.files) {
    if (contents.options.rate != 0) break;
    try {
      contents.options.rate =
          io::read_wav(io::ByteSource::open(file), options.max_sound_bytes).rate;
    } catch (const UserError&) {
      // It is named when its turn comes.
    }
  }
  WavFolder result;
  result.contents_ = std::make_shared<const WavFolder::Contents>(std::move(contents));
  return result;
}

const std::filesystem::path& WavFolder::file(std::int64_t index) const {
  require(index >= 0 && index < size(), "{}: sound {} of {}", name(), index, size());
  return contents_->listed.files[static_cast<std::size_t>(index)];
}

std::int32_t WavFolder::label(std::int64_t index) const {
  file(index);  // checks the range
  return contents_->listed.labels[static_cast<std::size_t>(index)];
}

Sample WavFolder::read(std::int64_t index) const {
  const WavFolderOptions& options = contents_->options;
  io::Sound sound = io::read_wav(io::ByteSource::open(file(index)), options.max_sound_bytes);
  require(sound.rate == options.rate,
          "{}: {} frames per second; {} expected, as in the other files; resample it",
          file(index).string(), sound.rate, options.rate);
  HostTensor x = options.mono ? mono_of(sound.samples) : std::move(sound.samples);
  if (options.frames > 0 && x.shape().front() != options.frames) x = with_rows(x, options.frames);
  return {std::move(x), make_scalar(label(index))};
}

Pipeline WavFolder::pipeline() const {
  return Pipeline::from(
      size(), [folder = *this](std::int64_t index) { return folder.read(index); },
      [folder = *this](std::int64_t index) { return folder.file(index).string(); });
}

Pipeline WavFolder::equal_pipeline() const {
  return equal_class_files(
      *this, "sounds",
      "\n  help: --frames N cuts or fills sounds to one length (WavFolderOptions::frames in C++), "
      "--bad-samples skip leaves such sounds out");
}

Dataset WavFolder::load(int workers, const std::optional<BadSamples>& bad) const {
  return load_class_files(contents_->listed, equal_pipeline(), {name(), "sounds", workers, bad});
}

}  // namespace tenon::data
