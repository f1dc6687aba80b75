#include "tenon/nn/loss.h"

#include <array>
#include <cmath>

#include "tenon/base/unknown_name.h"
#include "tenon/nn/loss_families.h"
#include "tenon/nn/metric.h"
#include "tenon/nn/part_name.h"

namespace tenon::nn {
namespace {

struct LossEntry {
  std::string_view name;
  Loss (*make)(PartName& part);
};

Loss cross_entropy_of(PartName& part) {
  CrossEntropyOptions options;
  options.label_smoothing = part.number("label_smoothing", 0);
  options.class_weights = part.numbers("class_weights");
  return make_cross_entropy(part.name(), options);
}

Loss focal_of(PartName& part) {
  const double gamma = part.number("gamma", 2);
  const bool is_binary = part.name().starts_with("binary");
  return make_focal(part.name(), gamma, is_binary ? part.number("alpha", -1) : -1);
}

Loss kl_divergence_of(PartName& part) { return make_kl_divergence(part.name()); }
Loss mean_error_of(PartName& part) { return make_mean_error(part.name()); }
Loss huber_of(PartName& part) { return huber(part.number("delta", 1)); }
Loss cosine_similarity_of(PartName&) { return make_cosine_similarity(); }
Loss hinge_of(PartName&) { return make_hinge(); }
Loss entropy_of(PartName& part) { return make_entropy(part.name()); }
Loss triplet_of(PartName& part) { return triplet(part.number("margin", 1)); }
Loss triplet_hard_of(PartName& part) { return triplet_hard(part.number("margin", 1)); }
Loss triplet_semi_hard_of(PartName& part) { return triplet_semi_hard(part.number("margin", 1)); }
Loss contrastive_of(PartName& part) { return contrastive(part.number("margin", 1)); }
Loss info_nce_of(PartName& part) { return info_nce(part.number("temperature", 0.1)); }
Loss nt_xent_of(PartName& part) { return nt_xent(part.number("temperature", 0.5)); }

Loss ctc_of(PartName& part) {
  const double blank = part.number("blank", 0), zero_infinity = part.number("zero_infinity", 0);
  constexpr double kMostClasses = 1 << 30;
  require(blank >= 0 && blank <= kMostClasses && blank == std::floor(blank),
          "loss ctc: blank must be a whole number of 0 or more, got {}", blank);
  require(zero_infinity == 0 || zero_infinity == 1,
          "loss ctc: zero_infinity must be 0 or 1, got {}", zero_infinity);
  return ctc({static_cast<std::int64_t>(blank), zero_infinity == 1});
}

constexpr std::array kLosses = {
    LossEntry{"sparse_categorical_cross_entropy_from_logits", cross_entropy_of},
    LossEntry{"sparse_categorical_cross_entropy", cross_entropy_of},
    LossEntry{"categorical_cross_entropy_from_logits", cross_entropy_of},
    LossEntry{"categorical_cross_entropy", cross_entropy_of},
    LossEntry{"binary_cross_entropy_from_logits", cross_entropy_of},
    LossEntry{"binary_cross_entropy", cross_entropy_of},
    LossEntry{"mean_squared_error", mean_error_of},
    LossEntry{"mean_absolute_error", mean_error_of},
    LossEntry{"huber", huber_of},
    LossEntry{"hinge", hinge_of},
    LossEntry{"kl_divergence_from_logits", kl_divergence_of},
    LossEntry{"kl_divergence", kl_divergence_of},
    LossEntry{"cosine_similarity", cosine_similarity_of},
    LossEntry{"sparse_categorical_focal_cross_entropy_from_logits", focal_of},
    LossEntry{"sparse_categorical_focal_cross_entropy", focal_of},
    LossEntry{"categorical_focal_cross_entropy_from_logits", focal_of},
    LossEntry{"categorical_focal_cross_entropy", focal_of},
    LossEntry{"binary_focal_cross_entropy_from_logits", focal_of},
    LossEntry{"binary_focal_cross_entropy", focal_of},
    LossEntry{"entropy_from_logits", entropy_of},
    LossEntry{"entropy", entropy_of},
    LossEntry{"ctc", ctc_of},
    LossEntry{"triplet", triplet_of},
    LossEntry{"triplet_hard", triplet_hard_of},
    LossEntry{"triplet_semi_hard", triplet_semi_hard_of},
    LossEntry{"contrastive", contrastive_of},
    LossEntry{"info_nce", info_nce_of},
    LossEntry{"nt_xent", nt_xent_of}};

}  // namespace

Loss find_loss(std::string_view name) {
  if (names_combination(name)) return parse_combination(name);
  PartName part("loss", name);
  std::vector<std::string_view> known;
  for (const LossEntry& entry : kLosses) {
    if (entry.name == part.name()) {
      Loss loss = entry.make(part);
      part.require_all_read();
      return loss;
    }
    known.push_back(entry.name);
  }
  throw_unknown("loss", part.name(), known);
}

bool is_of_classes(TargetKind targets) {
  return targets != TargetKind::numbers && targets != TargetKind::any;
}

Loss::operator Metric() const {
  return {.name = name,
          .apply = [f = apply](const Tensor& prediction, const Tensor& target,
                               const Loss&) { return f(prediction, target, {}); },
          .is_of_classes = nn::is_of_classes(targets),
          .is_lower_better = true};
}

}  // namespace tenon::nn
