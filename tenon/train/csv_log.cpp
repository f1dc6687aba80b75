#include "tenon/train/csv_log.h"

#include <charconv>

#include "tenon/base/text.h"
#include "tenon/io/csv.h"
#include "tenon/io/file.h"

namespace tenon {

CsvLog::CsvLog(std::string file, bool append) : file_(std::move(file)), append_(append) {}

void CsvLog::begin(const EpochInfo& info) {
  is_validated_ = info.validation_loss.has_value();
  std::vector<std::string> names = {"epoch", "step", "loss"};
  for (const auto& [name, value] : info.metrics) names.push_back(io::csv_field(name));
  if (is_validated_) {
    names.emplace_back("validation_loss");
    for (const auto& [name, value] : info.metrics)
      names.push_back(io::csv_field("validation_" + name));
  }
  names.emplace_back("seconds");
  const std::string header = join(names, ",");
  text_ = header + "\n";
  if (!append_ || !io::file_exists(file_)) return;
  const std::string before = io::read_text_file(file_);
  const std::vector<std::string_view> lines = split(before, '\n');
  require(lines.front() == header, "{}: line 1: {} expected, found {}", file_, in_quotes(header),
          in_quotes(lines.front()));
  for (std::size_t i = 1; i < lines.size() && !lines[i].empty(); ++i) {
    const std::string_view line = lines[i];
    std::int64_t epoch = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), epoch);
    require(error == std::errc() && end != line.data() + line.size() && *end == ',',
            "{}: line {}: {} is no row of epochs", file_, i + 1, in_quotes(line));
    if (epoch >= info.epoch) break;
    text_ += fmt::format("{}\n", line);
  }
}

bool CsvLog::on_epoch_end(Trainer&, const EpochInfo& info) {
  if (text_.empty()) begin(info);
  std::vector<std::string> fields = {fmt::format("{}", info.epoch), fmt::format("{}", info.step),
                                     fmt::format("{}", info.loss)};
  for (const auto& [name, value] : info.metrics) fields.push_back(fmt::format("{}", value));
  if (is_validated_) {
    fields.push_back(info.validation_loss ? fmt::format("{}", *info.validation_loss) : "");
    for (std::size_t i = 0; i < info.metrics.size(); ++i)
      fields.push_back(i < info.validation_metrics.size()
                           ? fmt::format("{}", info.validation_metrics[i].second)
                           : "");
  }
  fields.push_back(fmt::format("{}", info.seconds));
  text_ += join(fields, ",") + "\n";
  io::write_file_atomically(file_, text_);
  return true;
}

}  // namespace tenon
