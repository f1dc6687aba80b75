// The values of metrics.csv in memory: a row per logged step or epoch, the loss and the metrics.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tenon {

struct MetricTable {
  struct Row {
    std::int64_t step = 0;   // since the run began
    std::int64_t epoch = 0;  // from 1
    bool is_validation = false;
  };
  std::vector<std::string> metrics;  // names, without the loss
  std::vector<Row> rows;
  std::vector<double> values;  // of each row: the loss, then the metrics

  std::size_t width() const { return 1 + metrics.size(); }
  std::span<const double> values_of(std::size_t row) const {
    return std::span(values).subspan(row * width(), width());
  }
  // `row_values` holds width() numbers.
  void add(const Row& row, std::span<const double> row_values);
  // Keeps the first rows only.
  void shorten(std::size_t count);
  // Room for rows to come, so that adding them allocates nothing.
  void reserve(std::size_t count);
};

// The text of metrics.csv: `step,epoch,split,loss,` and the metrics; split is train or validation.
std::string metrics_csv(const MetricTable& table);

// The first `rows` rows of a metrics.csv (or as many as there are); what follows may be incomplete.
// UserError naming file and line for a header of other metrics or a line that is no row.
MetricTable read_metrics_csv(const std::filesystem::path& file, std::size_t rows,
                             const std::vector<std::string>& metrics);

// metrics.csv of a run that goes on: rows are appended one by one.
class MetricsLog {
 public:
  // Replaces the file by the table's rows and opens it for more. UserError if it cannot be written.
  MetricsLog(const std::filesystem::path& file, const MetricTable& table);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  // Allocates nothing for up to about ten metrics.
  void add(const MetricTable::Row& row, std::span<const double> row_values);
  // Puts what was added onto the disk.
  void flush();

 private:
  std::string file_;
  int descriptor_ = -1;
};

}  // namespace tenon
