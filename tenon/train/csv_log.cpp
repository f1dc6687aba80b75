#include "tenon/train/csv_log.h"

#include <charconv>

#include "tenon/base/text.h"
#include "tenon/io/csv.h"
#include "tenon/io/file.h"
#include "tenon/train/trainer.h"

namespace tenon {

CsvLog::CsvLog(std::string file, bool append) : file_(std::move(file)), append_(append) {}

std::string CsvLog::header(bool is_validated) const {
  std::vector<std::string> names = {"epoch", "step", "loss"};
  for (const std::string& name : metrics_) names.push_back(io::csv_field(name));
  if (is_validated) {
    names.emplace_back("validation_loss");
    for (const std::string& name : metrics_) names.push_back(io::csv_field("validation_" + name));
  }
  names.emplace_back("seconds");
  return join(names, ",");
}

void CsvLog::on_fit_begin(Trainer& trainer) {
  text_.clear();
  is_validated_.reset();
  metrics_.clear();
  rows_.clear();
  for (const nn::Metric& metric : trainer.options().metrics) metrics_.emplace_back(metric.name);
  const std::filesystem::path folder = std::filesystem::path(file_).parent_path();
  if (!folder.empty()) io::make_folders(folder);
  io::AtomicFile trial(file_);  // what cannot be written is told now
  if (!io::file_exists(file_)) return;
  const std::string before = io::read_text_file(file_);
  const std::string_view first = std::string_view(before).substr(0, before.find('\n'));
  require(before.empty() || first.starts_with("epoch,step,loss,"),
          "{}: line 1: {} is no log of epochs; name another file, or remove this one", file_,
          in_quotes(first));
  if (!append_ || before.empty()) return;
  if (first == header(true) || first == header(false)) is_validated_ = first == header(true);
  require(is_validated_.has_value(), "{}: line 1: {} expected, found {}", file_,
          in_quotes(header(false)), in_quotes(first));
  text_ = header(*is_validated_) + "\n";
  const std::vector<std::string_view> lines = split(before, '\n');
  for (std::size_t i = 1; i < lines.size() && !lines[i].empty(); ++i) {
    const std::string_view line = lines[i];
    std::int64_t epoch = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), epoch);
    require(error == std::errc() && end != line.data() + line.size() && *end == ',',
            "{}: line {}: {} is no row of epochs", file_, i + 1, in_quotes(line));
    rows_.emplace_back(epoch, line);
  }
}

bool CsvLog::on_epoch_end(Trainer&, const EpochInfo& info) {
  if (!is_validated_) is_validated_ = info.validation_loss.has_value();
  if (text_.empty()) text_ = header(*is_validated_) + "\n";
  for (const auto& [epoch, line] : std::exchange(rows_, {}))
    if (epoch < info.epoch) text_ += line + "\n";
  std::vector<std::string> fields = {fmt::format("{}", info.epoch), fmt::format("{}", info.step),
                                     fmt::format("{}", info.loss)};
  for (const auto& [name, value] : info.metrics) fields.push_back(fmt::format("{}", value));
  if (*is_validated_) {
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
