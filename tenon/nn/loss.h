// Losses as weighted sums, divided once at the end: exact for short batches, accumulation and data
// parallelism.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tenon/nn/weighted_sum.h"

namespace tenon::nn {

struct Metric;

// What a loss is of; `any` for a loss of your own that says nothing.
enum class TargetKind : std::uint8_t { any, classes, probabilities, two_classes, numbers };
bool is_of_classes(TargetKind targets);

// One of those below, or of your own (docs/extending.md): a name and any function.
struct Loss {
  std::string name;
  bool from_logits = false;  // predictions are logits, so a metric's threshold is 0 and not 0.5
  // prediction [batch, ...], target as each loss says, sample_weight [batch] or empty.
  // UserError, naming the loss, if the target does not fit the prediction.
  std::function<WeightedSum(const Tensor& prediction, const Tensor& target,
                            const Tensor& sample_weight)>
      apply;
  TargetKind targets = TargetKind::any;

  // The mean of the loss as a metric of the same name: .metrics = {nn::mean_absolute_error}.
  operator Metric() const;
};

// By name, with numbers after it: "huber:delta=0.5". UserError listing the known names or options.
Loss find_loss(std::string_view name);

// Targets are integer classes [batch...]; predictions [batch..., classes]. Negative targets are
// left out of the mean (data::kNoClass; F.cross_entropy's ignore_index).
inline const Loss sparse_categorical_cross_entropy_from_logits =
    find_loss("sparse_categorical_cross_entropy_from_logits");
// Of probabilities, clipped at 1e-7.
inline const Loss sparse_categorical_cross_entropy = find_loss("sparse_categorical_cross_entropy");
// Targets are probabilities of the predictions' shape (one-hot or soft).
inline const Loss categorical_cross_entropy_from_logits =
    find_loss("categorical_cross_entropy_from_logits");
inline const Loss categorical_cross_entropy = find_loss("categorical_cross_entropy");
// Targets in [0, 1] (or bool, integer) of the predictions' shape, or without the last axis of 1.
inline const Loss binary_cross_entropy_from_logits = find_loss("binary_cross_entropy_from_logits");
inline const Loss binary_cross_entropy = find_loss("binary_cross_entropy");

struct CrossEntropyOptions {
  // Targets become (1 - s) t + s / classes; binary ones (1 - s) t + s / 2. Szegedy et al. 2016.
  double label_smoothing = 0;
  // One for each class, two for a binary loss. The terms of class c count w[c] times, and the mean
  // is over the weights of the targets' classes, as F.cross_entropy(weight=w) has it.
  std::vector<double> class_weights{};
};
// One of the six cross entropies above with options. UserError for other losses, a smoothing
// outside [0, 1) and weights that are negative, not finite or not one for each class.
Loss cross_entropy(const Loss& plain, const CrossEntropyOptions& options);

// Cross entropies of which confident elements count less, by (1 - p)^gamma for the probability p of
// the target. Lin et al. 2017, "Focal Loss". `alpha` weighs class 1 and 1 - alpha class 0 (binary;
// negative: no weights). Gamma is 0, or 1 or more.
Loss binary_focal_cross_entropy_from_logits(double gamma = 2, double alpha = -1);
Loss binary_focal_cross_entropy(double gamma = 2, double alpha = -1);
Loss sparse_categorical_focal_cross_entropy_from_logits(double gamma = 2);
Loss sparse_categorical_focal_cross_entropy(double gamma = 2);
Loss categorical_focal_cross_entropy_from_logits(double gamma = 2);
Loss categorical_focal_cross_entropy(double gamma = 2);

// Sum over the last axis of t (log t - log p), targets being probabilities; 0 log 0 is 0.
inline const Loss kl_divergence_from_logits = find_loss("kl_divergence_from_logits");
inline const Loss kl_divergence = find_loss("kl_divergence");

// Of numbers of the predictions' shape, a mean over all elements.
inline const Loss mean_squared_error = find_loss("mean_squared_error");
inline const Loss mean_absolute_error = find_loss("mean_absolute_error");
// Quadratic for errors up to delta, linear beyond: e^2 / 2, delta (|e| - delta / 2). Huber 1964.
Loss huber(double delta = 1);
// 1 - x.y / (|x| |y|) along the last axis: 1 - PyTorch's cosine_similarity, Keras' loss plus 1.
inline const Loss cosine_similarity = find_loss("cosine_similarity");

// max(0, 1 - y p) for y of -1 and 1; a target of 0 (or false) is -1. The threshold of p is 0.
inline const Loss hinge = find_loss("hinge");

// Connectionist temporal classification: minus the logarithm of the probability of all alignments
// of the labels to the time steps. Predictions [batch, time, classes] are logits (of logarithms of
// probabilities log_softmax changes nothing); targets [batch, labels] are integer classes that end
// at the first negative one, so that shorter ones are padded with -1. Graves et al. 2006.
struct CtcOptions {
  std::int64_t blank = 0;      // the class that stands for no label
  bool zero_infinity = false;  // labels that do not fit the time: 0 instead of infinity
};
Loss ctc(const CtcOptions& options = {});
// The loss of each sample, [batch]; `input_lengths` (integers [batch], or empty for all) says how
// many time steps of each there are. Where labels do not fit, nothing flows back.
// UserError for other shapes and a blank that is no class.
Tensor ctc_losses(const Tensor& logits, const Tensor& targets, const CtcOptions& options = {},
                  const Tensor& input_lengths = {});

// Losses of embeddings, with Euclidean distances. Margins are above 0.
// max(0, |a - p| - |a - n| + margin) of predictions [batch, 3, width]: anchor, positive, negative.
// Targets do not count.
Loss triplet(double margin = 1);
// The same within a batch of predictions [batch, width] with integer classes as targets [batch]:
// for each anchor the farthest positive and the nearest negative (Hermans et al. 2017), or for each
// anchor and positive the nearest negative that is farther than the positive, else the farthest
// (Schroff et al. 2015, "FaceNet"). A mean over the anchors, or pairs, that have both.
Loss triplet_hard(double margin = 1);
Loss triplet_semi_hard(double margin = 1);
// (y d^2 + (1 - y) max(0, margin - d)^2) / 2 of pairs [batch, 2, width]; targets y [batch] are 1
// for pairs that belong together. Hadsell, Chopra, LeCun 2006.
Loss contrastive(double margin = 1);
// Cross entropy of finding each query's own key among all keys of the batch by cosine similarity
// over the temperature; predictions [batch, 2, width], targets do not count. van den Oord et al.
// 2018.
Loss info_nce(double temperature = 0.1);
// The same of two views of each sample, each among all other views. Chen et al. 2020, "SimCLR".
Loss nt_xent(double temperature = 0.5);

// The entropy of the predicted classes (of one output: of two classes), in nats; targets do not
// count. As a term beside another loss: entropy minimisation, Grandvalet, Bengio 2005.
inline const Loss entropy_from_logits = find_loss("entropy_from_logits");
inline const Loss entropy = find_loss("entropy");
// Of each row, [batch...].
Tensor entropies(const Tensor& prediction, bool from_logits);

// The sum of losses times factors, as one loss of the first one's targets:
// combined({{1, sparse_categorical_cross_entropy_from_logits}, {0.1, entropy_from_logits}}), by
// name "sparse_categorical_cross_entropy_from_logits + 0.1 * entropy_from_logits".
struct LossTerm {
  double factor = 1;
  Loss loss;
};
Loss combined(const std::vector<LossTerm>& terms);

}  // namespace tenon::nn
