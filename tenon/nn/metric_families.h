// The metrics that find_metric makes, by family.
#pragma once
#include "tenon/nn/metric.h"

namespace tenon::nn {

Metric make_accuracy();
Metric make_binary_rate(const std::string& name);  // precision, recall, f1
Metric make_macro_rate(const std::string& name);   // macro_precision, macro_recall, macro_f1
Metric make_specificity();
// balanced_accuracy, matthews_correlation, cohen_kappa, mean_iou, dice.
Metric make_agreement(const std::string& name);
// How often each class was predicted rightly, predicted, and there: three times [classes].
Tensor counts_of_classes(const Tensor& prediction, const Tensor& target, const Loss& loss,
                         const std::string& name);
Metric make_log_loss();
Metric make_perplexity();
Metric make_root_mean_squared_error();
Metric make_r2();

}  // namespace tenon::nn
