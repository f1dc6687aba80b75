#include "tenon/train/metric_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "tenon/base/error.h"
#include "tenon/base/text.h"
#include "tenon/io/file.h"

namespace tenon {
namespace {

constexpr std::string_view kTrain = "train";
constexpr std::string_view kValidation = "validation";

std::string header_of(const std::vector<std::string>& metrics) {
  std::string header = "step,epoch,split,loss";
  for (const std::string& metric : metrics) header += "," + metric;
  return header;
}

void append_row(fmt::memory_buffer& out, const MetricTable::Row& row,
                std::span<const double> values) {
  fmt::format_to(std::back_inserter(out), "{},{},{}", row.step, row.epoch,
                 row.is_validation ? kValidation : kTrain);
  for (const double value : values) fmt::format_to(std::back_inserter(out), ",{}", value);
  out.push_back('\n');
}

template <class T>
bool parse_whole(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool parse_row(std::string_view line, MetricTable::Row& row, std::span<double> values) {
  const std::vector<std::string_view> fields = split(line, ',');
  if (fields.size() != 3 + values.size()) return false;
  if (!parse_whole(fields[0], row.step) || !parse_whole(fields[1], row.epoch)) return false;
  if (fields[2] != kTrain && fields[2] != kValidation) return false;
  row.is_validation = fields[2] == kValidation;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!parse_whole(fields[3 + i], values[i])) return false;
  return true;
}

}  // namespace

void MetricTable::add(const Row& row, std::span<const double> row_values) {
  check(row_values.size() == width(), "{} values for a row of {}", row_values.size(), width());
  rows.push_back(row);
  values.insert(values.end(), row_values.begin(), row_values.end());
}

void MetricTable::shorten(std::size_t count) {
  if (rows.size() <= count) return;
  rows.resize(count);
  values.resize(count * width());
}

void MetricTable::reserve(std::size_t count) {
  rows.reserve(rows.size() + count);
  values.reserve(values.size() + count * width());
}

std::string metrics_csv(const MetricTable& table) {
  fmt::memory_buffer text;
  fmt::format_to(std::back_inserter(text), "{}\n", header_of(table.metrics));
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    append_row(text, table.rows[i], table.values_of(i));
  return fmt::to_string(text);
}

MetricTable read_metrics_csv(const std::filesystem::path& file, std::size_t rows,
                             const std::vector<std::string>& metrics) {
  MetricTable table;
  table.metrics = metrics;
  const std::string text = io::read_text_file(file);
  std::string_view rest = text;
  std::vector<double> values(table.width());
  for (std::size_t line = 1; table.rows.size() < rows; ++line) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;  // a kill may leave a line unfinished
    const std::string_view row_text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line == 1) {
      require(row_text == header_of(metrics), "{}: line 1: {} expected, found {}", file.string(),
              in_quotes(header_of(metrics)), in_quotes(row_text));
      continue;
    }
    MetricTable::Row row;
    require(parse_row(row_text, row, values), "{}: line {}: {} is no row of metrics", file.string(),
            line, in_quotes(row_text));
    table.add(row, values);
  }
  return table;
}

MetricsLog::MetricsLog(const std::filesystem::path& file, const MetricTable& table)
    : file_(file.string()) {
  io::write_file_atomically(file, metrics_csv(table));
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  require(descriptor_ >= 0, "cannot write {}: {}", file_, std::strerror(errno));
}

MetricsLog::~MetricsLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void MetricsLog::add(const MetricTable::Row& row, std::span<const double> row_values) {
  fmt::memory_buffer text;
  append_row(text, row, row_values);
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(descriptor_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    require(count >= 0, "cannot write {}: {}", file_, std::strerror(errno));
    written += static_cast<std::size_t>(count);
  }
}

void MetricsLog::flush() {
  require(::fsync(descriptor_) == 0 || errno == EINVAL, "cannot flush {}: {}", file_,
          std::strerror(errno));
}

}  // namespace tenon
