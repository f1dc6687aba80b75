#include "tenon/cli/abbreviations.h"

#include <array>
#include <span>

#include "tenon/base/error.h"
#include "tenon/base/text.h"

namespace tenon::cli {
namespace {

struct Abbreviation {
  std::string_view typed, name;
};

constexpr std::array kOptionAbbreviations = {Abbreviation{"--lr", "--learning-rate"},
                                             Abbreviation{"--wd", "--weight-decay"},
                                             Abbreviation{"--bs", "--batch-size"},
                                             Abbreviation{"--batch", "--batch-size"},
                                             Abbreviation{"--opt", "--optimizer"},
                                             Abbreviation{"--optim", "--optimizer"},
                                             Abbreviation{"--dataset", "--data"},
                                             Abbreviation{"--train", "--data"},
                                             Abbreviation{"--val", "--validation"},
                                             Abbreviation{"--valid", "--validation"},
                                             Abbreviation{"--validation-split", "--validation"},
                                             Abbreviation{"--target", "--label"},
                                             Abbreviation{"--num-workers", "--workers"},
                                             Abbreviation{"--num-epochs", "--epochs"},
                                             Abbreviation{"--num-classes", "--classes"},
                                             Abbreviation{"--patience", "--early-stopping"},
                                             Abbreviation{"--scheduler", "--schedule"},
                                             Abbreviation{"--amp", "--precision"},
                                             Abbreviation{"--checkpointing", "--recompute"},
                                             Abbreviation{"--remat", "--recompute"},
                                             Abbreviation{"--pretrained", "--initial"},
                                             Abbreviation{"--weights", "--initial"},
                                             Abbreviation{"--output", "--out"},
                                             Abbreviation{"--sep", "--delimiter"},
                                             Abbreviation{"--separator", "--delimiter"}};

// Without "_", "-" and capitals.
constexpr std::string_view kCrossEntropy = "sparse_categorical_cross_entropy_from_logits";
constexpr std::string_view kBinaryCrossEntropy = "binary_cross_entropy_from_logits";
constexpr std::array kLossAbbreviations = {
    Abbreviation{"mse", "mean_squared_error"},
    Abbreviation{"mseloss", "mean_squared_error"},
    Abbreviation{"l2", "mean_squared_error"},
    Abbreviation{"mae", "mean_absolute_error"},
    Abbreviation{"l1", "mean_absolute_error"},
    Abbreviation{"l1loss", "mean_absolute_error"},
    Abbreviation{"smoothl1", "huber"},
    Abbreviation{"smoothl1loss", "huber"},
    Abbreviation{"huberloss", "huber"},
    Abbreviation{"ce", kCrossEntropy},
    Abbreviation{"crossentropy", kCrossEntropy},
    Abbreviation{"crossentropyloss", kCrossEntropy},
    Abbreviation{"sparsecategoricalcrossentropy", kCrossEntropy},
    Abbreviation{"nll", kCrossEntropy},
    Abbreviation{"nllloss", kCrossEntropy},
    Abbreviation{"categoricalcrossentropy", "categorical_cross_entropy_from_logits"},
    Abbreviation{"bce", kBinaryCrossEntropy},
    Abbreviation{"bceloss", "binary_cross_entropy"},
    Abbreviation{"bcewithlogits", kBinaryCrossEntropy},
    Abbreviation{"bcewithlogitsloss", kBinaryCrossEntropy},
    Abbreviation{"binarycrossentropy", kBinaryCrossEntropy},
    Abbreviation{"kld", "kl_divergence"},
    Abbreviation{"kldiv", "kl_divergence"},
    Abbreviation{"kldivloss", "kl_divergence"},
    Abbreviation{"ctcloss", "ctc"},
    Abbreviation{"focal", "sparse_categorical_focal_cross_entropy_from_logits"}};

constexpr std::array kMetricAbbreviations = {Abbreviation{"acc", "accuracy"},
                                             Abbreviation{"auc", "roc_auc"},
                                             Abbreviation{"auroc", "roc_auc"},
                                             Abbreviation{"rocauc", "roc_auc"},
                                             Abbreviation{"prauc", "pr_auc"},
                                             Abbreviation{"averageprecision", "pr_auc"},
                                             Abbreviation{"mse", "mean_squared_error"},
                                             Abbreviation{"mae", "mean_absolute_error"},
                                             Abbreviation{"rmse", "root_mean_squared_error"},
                                             Abbreviation{"r2score", "r2"},
                                             Abbreviation{"f1score", "f1"},
                                             Abbreviation{"top5", "top_k_accuracy:k=5"},
                                             Abbreviation{"topk", "top_k_accuracy"},
                                             Abbreviation{"iou", "mean_iou"},
                                             Abbreviation{"miou", "mean_iou"},
                                             Abbreviation{"mcc", "matthews_correlation"},
                                             Abbreviation{"kappa", "cohen_kappa"}};

std::string find_abbreviation(std::span<const Abbreviation> all, std::string_view typed) {
  for (const Abbreviation& one : all)
    if (one.typed == typed) return std::string(one.name);
  return "";
}

std::string meant_name(std::span<const Abbreviation> all, std::string_view text) {
  const std::size_t colon = text.find(':');
  std::string plain;
  for (const char c : text.substr(0, colon))
    if (c != '_' && c != '-') plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::string name = find_abbreviation(all, plain);
  if (!name.empty() && colon != std::string_view::npos) name += text.substr(colon);
  return name == text ? "" : name;
}

}  // namespace

std::string meant_option(std::string_view option) {
  return find_abbreviation(kOptionAbbreviations, option);
}

std::string meant_loss(std::string_view name) { return meant_name(kLossAbbreviations, name); }

std::string meant_metric(std::string_view name) { return meant_name(kMetricAbbreviations, name); }

void check_name(const std::function<void()>& check, const std::string& meant) {
  try {
    check();
  } catch (const UserError& error) {
    const std::string message = error.what();
    if (meant.empty() || !message.starts_with("unknown ")) throw;
    throw UserError(fmt::format("{}; did you mean {}?",
                                message.substr(0, message.find("; did you mean")),
                                in_quotes(meant)));
  }
}

}  // namespace tenon::cli
