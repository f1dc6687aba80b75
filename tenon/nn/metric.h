// Metrics as sums over the samples, made into a number once at the end: exact for short batches.
#pragma once
#include <span>

#include "tenon/nn/loss.h"

namespace tenon::nn {

// One of those below, or of your own (docs/extending.md): a name and either `apply`, for a quotient
// of two sums, or `sums` and `value`, for everything else that sums can tell.
struct Metric {
  std::string name;
  std::function<WeightedSum(const Tensor& prediction, const Tensor& target, const Loss& loss)>
      apply{};
  // A float vector [n] of a batch; n does not depend on the batch. Batches are added up in f64.
  std::function<Tensor(const Tensor& prediction, const Tensor& target, const Loss& loss)> sums{};
  // The metric, of the n numbers added up over all batches.
  std::function<double(std::span<const double> sums)> value{};
  bool is_of_classes = false;    // has no meaning for a loss of numbers
  bool is_lower_better = false;  // true of every loss: how a Monitor tells what is best

  bool has_function() const { return apply || (sums && value); }
};

// By name, with numbers after it: "top_k_accuracy:k=3"; mean_absolute_error and mean_squared_error
// are the losses. UserError listing the known names or options.
Metric find_metric(std::string_view name);

// Categorical (largest prediction is the target class) for predictions [..., classes], binary
// (threshold 0.5, or 0 for logits) where prediction and target shapes agree or the last axis is 1.
inline const Metric accuracy = find_metric("accuracy");
// The part of samples whose class is among the k largest predictions; the first of equals wins.
Metric top_k_accuracy(std::int64_t k = 5);

// Of class 1, which is the positive one: of one output for two classes, over all elements, with the
// thresholds of accuracy, or of two outputs, the larger of which is the prediction. 0 where nothing
// was predicted (precision) or nothing is there (recall).
inline const Metric precision = find_metric("precision");      // true positives / predicted
inline const Metric recall = find_metric("recall");            // true positives / there are
inline const Metric f1 = find_metric("f1");                    // their harmonic mean
inline const Metric specificity = find_metric("specificity");  // true negatives / of class 0
// The means of these over the classes that are predicted or there; of the largest predictions.
inline const Metric macro_precision = find_metric("macro_precision");
inline const Metric macro_recall = find_metric("macro_recall");
inline const Metric macro_f1 = find_metric("macro_f1");

// Area under the curve of true over false positive rate, for one output of two classes, or two
// outputs. Scores (the probabilities of class 1) are told apart to 1 / bins; 0 unless both classes
// are there.
Metric roc_auc(std::int64_t bins = 1000);
// Average precision, the area under precision over recall in steps as scikit-learn has it, of the
// same scores; 0 unless class 1 is there.
Metric pr_auc(std::int64_t bins = 1000);

// How predicted classes agree with the true ones, of the matrix of their counts. Pixels of
// segmentations are samples like others: predictions [batch, height, width, classes].
inline const Metric balanced_accuracy = find_metric("balanced_accuracy");  // mean of the recalls
inline const Metric matthews_correlation = find_metric("matthews_correlation");  // Matthews 1975
inline const Metric cohen_kappa = find_metric("cohen_kappa");                    // Cohen 1960
// Means over the classes that are predicted or there of intersection / union, and of
// 2 * intersection / (predicted + there), which is macro_f1.
inline const Metric mean_iou = find_metric("mean_iou");
inline const Metric dice = find_metric("dice");

// The mean cross entropy, whatever smoothing or weights the loss has, and exp of it.
inline const Metric log_loss = find_metric("log_loss");
inline const Metric perplexity = find_metric("perplexity");

inline const Metric root_mean_squared_error = find_metric("root_mean_squared_error");
// 1 - squared errors / squared distances from the mean, a mean over the outputs of the last axis;
// for an output that is constant 1 if it is met, otherwise 0. Summed in f64.
inline const Metric r2 = find_metric("r2");

// How often class [row] was predicted as class [column], f32 [classes, classes]; a binary
// prediction of one output gives [2, 2].
Tensor confusion_matrix(const Tensor& prediction, const Tensor& target, const Loss& loss);

}  // namespace tenon::nn
