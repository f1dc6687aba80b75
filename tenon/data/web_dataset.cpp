#include "tenon/data/web_dataset.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "tenon/base/text.h"
#include "tenon/data/file_list.h"
#include "tenon/data/finite.h"
#include "tenon/data/wav_folder.h"
#include "tenon/io/image.h"
#include "tenon/io/json.h"
#include "tenon/io/npy.h"
#include "tenon/io/record_stream.h"
#include "tenon/io/tar.h"
#include "tenon/io/wav.h"

namespace tenon::data {
namespace {

// The files of one sample: their kinds and contents.
struct ShardSample {
  std::string archive, key;
  std::vector<std::pair<std::string, io::ByteSource>> files;

  const std::pair<std::string, io::ByteSource>* find(const std::vector<std::string>& kinds) const {
    for (const std::string& kind : kinds)
      for (const auto& file : files)
        if (file.first == kind) return &file;
    return nullptr;
  }
};

std::string shard_place(const ShardSample& sample) {
  return fmt::format("{}: sample {}", sample.archive, in_quotes(sample.key));
}

std::string text_in(const io::ByteSource& source) {
  constexpr std::uint64_t kMaxLabelBytes = 1 << 20;
  const std::vector<std::byte> bytes = source.read_all(kMaxLabelBytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

HostTensor class_of_text(const std::string& text, const std::vector<std::string>& class_names,
                         const std::string& place) {
  const std::string_view word = trim(text);
  const auto found = std::ranges::find(class_names, word);
  if (found != class_names.end())
    return make_scalar(static_cast<std::int32_t>(found - class_names.begin()));
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const bool is_whole = error == std::errc() && end == word.data() + word.size();
  require(is_whole || !class_names.empty(),
          "{}: the label {} is no whole number, and no classes are named\n  help: --classes "
          "NAME,NAME,... names them (WebDatasetOptions::class_names in C++)",
          place, in_quotes(word));
  require(is_whole, "{}: the label {} is neither a whole number nor one of the {} classes{}", place,
          in_quotes(word), class_names.size(), did_you_mean(word, class_names));
  return make_scalar(value);
}

// The last part of a kind decides how it is read: "seg.png" is an image.
std::string_view last_part(std::string_view kind) { return kind.substr(kind.rfind('.') + 1); }

HostTensor finite_array(const io::ByteSource& file) {
  HostTensor array = io::read_npy(file);
  require_finite(array, file.name());
  return array;
}

HostTensor label_tensor(const std::string& kind, const io::ByteSource& file,
                        const WebDatasetOptions& options, const std::string& place) {
  if (last_part(kind) == "npy") return finite_array(file);
  if (last_part(kind) != "json") return class_of_text(text_in(file), options.class_names, place);
  io::Json json = io::parse_json(text_in(file), file.name());
  if (json.is_object()) {
    require(json.contains(options.json_key), "{}: {} has no {}", place, in_quotes(kind),
            in_quotes(options.json_key));
    json = io::Json(json.at(options.json_key));
  }
  if (json.is_string()) return class_of_text(json.get<std::string>(), options.class_names, place);
  return io::tensor_of_json(json, place + ": " + in_quotes(kind));
}

HostTensor feature_of_file(const std::string& kind, const io::ByteSource& file,
                           const WebDatasetOptions& options, const std::string& place) {
  const std::string_view ending = last_part(kind);
  if (ending == "png" || ending == "jpg" || ending == "jpeg")
    return io::read_image(file, options.image_channels);
  if (ending == "npy") return finite_array(file);
  if (ending == "wav") return mono_of(io::read_wav(file).samples);
  require(ending == "txt",
          "{}: files of kind {} cannot be x; .png, .jpg, .jpeg, .npy, .wav and .txt can", place,
          in_quotes(kind));
  HostTensor bytes({DType::u8, {static_cast<std::int64_t>(file.size())}});
  file.read(0, bytes.bytes());
  return bytes;
}

Sample sample_of(const ShardSample& shard, const WebDatasetOptions& options) {
  const std::string place = shard_place(shard);
  const auto need = [&](const std::vector<std::string>& kinds, char what) {
    const auto* file = shard.find(kinds);
    std::vector<std::string> present;
    for (const auto& one : shard.files) present.push_back("." + one.first);
    require(file != nullptr, "{}: no file for {}; one of .{} expected, it has {}", place, what,
            join(kinds, ", ."), join(present, ", "));
    return file;
  };
  const auto* x = need(options.x, 'x');
  Sample sample{feature_of_file(x->first, x->second, options, place), HostTensor()};
  if (options.y.empty()) return sample;
  const auto* y = need(options.y, 'y');
  sample.y = label_tensor(y->first, y->second, options, place);
  return sample;
}

// Reads one archive; samples are cut where the key changes.
class ShardReader {
 public:
  ShardReader(const std::filesystem::path& file, std::uint64_t max_file_bytes)
      : tar_(io::stream_of(io::ByteSource::open(file)), max_file_bytes) {}

  std::optional<ShardSample> next() {
    ShardSample sample;
    while (!ended_) {
      if (!ahead_) ahead_ = tar_.next();
      ended_ = !ahead_.has_value();
      if (ended_) break;
      const std::size_t base = ahead_->name.rfind('/') + 1;  // npos + 1 is 0
      const std::size_t dot = ahead_->name.find('.', base);
      if (dot == std::string::npos || dot == base) {  // without a kind, or hidden
        ahead_.reset();
        continue;
      }
      const std::string key = ahead_->name.substr(0, dot);
      if (!sample.files.empty() && key != sample.key) return sample;
      sample.archive = tar_.name();
      sample.key = key;
      sample.files.emplace_back(
          ahead_->name.substr(dot + 1),
          io::ByteSource(fmt::format("{}: {}", tar_.name(), in_quotes(ahead_->name)),
                         std::move(ahead_->content)));
      ahead_.reset();
    }
    if (sample.files.empty()) return std::nullopt;
    return sample;
  }

 private:
  io::TarReader tar_;
  std::optional<io::TarFile> ahead_;
  bool ended_ = false;
};

}  // namespace

Pipeline web_dataset(const std::string& pattern, const WebDatasetOptions& options) {
  require(!options.x.empty(), "a WebDataset without kinds of files for x");
  require(options.image_channels == 1 || options.image_channels == 3,
          "images of {} channels; 1 (gray) or 3 (RGB) expected", options.image_channels);
  const std::vector<std::filesystem::path> files = files_of(pattern);
  const auto shared = std::make_shared<const WebDatasetOptions>(options);
  const auto open_shard = [shared](const std::filesystem::path& file, std::uint64_t epoch) -> Pass {
    const auto reader = std::make_shared<ShardReader>(file, shared->max_file_bytes);
    return [reader, shared, epoch, next = std::int64_t{0}]() mutable -> std::optional<LazySample> {
      std::optional<ShardSample> taken = reader->next();
      if (!taken) return std::nullopt;
      const auto shard = std::make_shared<const ShardSample>(*std::move(taken));
      return LazySample{{epoch, next++},
                        [shared, shard] { return std::optional(sample_of(*shard, *shared)); },
                        [shard] { return shard_place(*shard); }};
    };
  };
  return Pipeline::parts(
      static_cast<std::int64_t>(files.size()),
      [files, open_shard](std::int64_t i) {
        return Pipeline([file = files[static_cast<std::size_t>(i)],
                         open_shard](std::uint64_t epoch) { return open_shard(file, epoch); });
      },
      options.shards);
}

}  // namespace tenon::data
