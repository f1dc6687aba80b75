// Event files, which TensorBoard reads: scalars, histograms and texts by tag and step.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::io {

// Counts of values in neighbouring intervals: bin i holds those from limits[i-1] (from `min` for
// the first) to limits[i].
struct EventHistogram {
  double min = 0, max = 0;
  double count = 0, sum = 0, sum_of_squares = 0;
  std::vector<double> limits;  // rising; as many as `counts`
  std::vector<double> counts;
};

// One event as the bytes of a protocol buffer of TensorFlow's `event.proto` and `summary.proto`:
// https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto. The few fields
// that are needed are written here: a library and a compiler of its own would be much for them.
std::string version_event(double wall_time);
// A run that goes on: TensorBoard forgets what earlier files say of this step and later ones.
std::string restart_event(double wall_time, std::int64_t step);
std::string scalar_event(double wall_time, std::int64_t step, std::string_view tag, double value);
std::string histogram_event(double wall_time, std::int64_t step, std::string_view tag,
                            const EventHistogram& histogram);
// Shown as Markdown.
std::string text_event(double wall_time, std::int64_t step, std::string_view tag,
                       std::string_view text);

// The frame of a TFRecord file around the bytes of a record: its length, the masked CRC-32C of the
// length, the bytes, and their masked CRC-32C; little-endian.
std::string record_frame(std::string_view record);

// A file of such events in a folder, named as TensorBoard looks for them and so that later files of
// one folder sort after earlier ones. UserError naming the file if it cannot be made or written.
class EventFile {
 public:
  // Makes the folder and those above it.
  explicit EventFile(const std::filesystem::path& folder);
  // What was not flushed is written as far as that can be done.
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // The scalar is kept in f32, as TensorBoard has it. With a short tag it allocates nothing.
  void add_scalar(std::int64_t step, std::string_view tag, double value);
  void add_histogram(std::int64_t step, std::string_view tag, const EventHistogram& histogram);
  void add_text(std::int64_t step, std::string_view tag, std::string_view text);
  void add_restart(std::int64_t step);
  // Hands what was added to the operating system, so that readers see it.
  void flush();

  const std::string& path() const { return path_; }

 private:
  void add(std::string_view event);
  std::string path_;
  std::string waiting_;
  int descriptor_ = -1;
};

}  // namespace tenon::io
