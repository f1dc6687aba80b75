#include "tenon/nn/metric.h"

#include <array>
#include <cmath>

#include "tenon/base/unknown_name.h"
#include "tenon/nn/metric_families.h"
#include "tenon/nn/part_name.h"

namespace tenon::nn {
namespace {

struct MetricEntry {
  std::string_view name;
  Metric (*make)(PartName& part);
};

std::int64_t whole(PartName& part, std::string_view option, std::int64_t otherwise) {
  const double value = part.number(option, static_cast<double>(otherwise));
  require(value == std::floor(value) && std::abs(value) < 1e9,
          "metric {}: {} must be a whole number, got {}", part.name(), option, value);
  return static_cast<std::int64_t>(value);
}

Metric accuracy_of(PartName&) { return make_accuracy(); }
Metric top_k_of(PartName& part) { return top_k_accuracy(whole(part, "k", 5)); }
Metric binary_rate_of(PartName& part) { return make_binary_rate(part.name()); }
Metric macro_rate_of(PartName& part) { return make_macro_rate(part.name()); }
Metric roc_auc_of(PartName& part) { return roc_auc(whole(part, "bins", 1000)); }
Metric pr_auc_of(PartName& part) { return pr_auc(whole(part, "bins", 1000)); }
Metric specificity_of(PartName&) { return make_specificity(); }
Metric agreement_of(PartName& part) { return make_agreement(part.name()); }
Metric log_loss_of(PartName&) { return make_log_loss(); }
Metric perplexity_of(PartName&) { return make_perplexity(); }
Metric loss_of(PartName& part) { return find_loss(part.name()); }
Metric root_of(PartName&) { return make_root_mean_squared_error(); }
Metric r2_of(PartName&) { return make_r2(); }

constexpr std::array kMetrics = {MetricEntry{"accuracy", accuracy_of},
                                 MetricEntry{"top_k_accuracy", top_k_of},
                                 MetricEntry{"precision", binary_rate_of},
                                 MetricEntry{"recall", binary_rate_of},
                                 MetricEntry{"f1", binary_rate_of},
                                 MetricEntry{"macro_precision", macro_rate_of},
                                 MetricEntry{"macro_recall", macro_rate_of},
                                 MetricEntry{"macro_f1", macro_rate_of},
                                 MetricEntry{"specificity", specificity_of},
                                 MetricEntry{"balanced_accuracy", agreement_of},
                                 MetricEntry{"matthews_correlation", agreement_of},
                                 MetricEntry{"cohen_kappa", agreement_of},
                                 MetricEntry{"mean_iou", agreement_of},
                                 MetricEntry{"dice", agreement_of},
                                 MetricEntry{"roc_auc", roc_auc_of},
                                 MetricEntry{"pr_auc", pr_auc_of},
                                 MetricEntry{"log_loss", log_loss_of},
                                 MetricEntry{"perplexity", perplexity_of},
                                 MetricEntry{"mean_squared_error", loss_of},
                                 MetricEntry{"mean_absolute_error", loss_of},
                                 MetricEntry{"root_mean_squared_error", root_of},
                                 MetricEntry{"r2", r2_of}};

}  // namespace

Metric find_metric(std::string_view name) {
  PartName part("metric", name);
  std::vector<std::string_view> known;
  for (const MetricEntry& entry : kMetrics) {
    if (entry.name == part.name()) {
      Metric metric = entry.make(part);
      part.require_all_read();
      return metric;
    }
    known.push_back(entry.name);
  }
  throw_unknown("metric", part.name(), known);
}

}  // namespace tenon::nn
