// Losses of embeddings: distances and directions of samples to one another.
#include <array>
#include <cmath>

#include "tenon/nn/loss_checks.h"
#include "tenon/nn/loss_families.h"
#include "tenon/tensor/functions.h"

namespace tenon::nn {
namespace {

constexpr double kFar = 1e30;  // beyond any distance, and finite

// Euclidean along the last axis; of equal points 0, with no gradient.
Tensor distance(const Tensor& x, const Tensor& y) {
  const Tensor squares = sum(squared_difference(x, y), {-1});
  return where(squares > 0.0, sqrt(where(squares > 0.0, squares, 1.0)), 0.0);
}

// Along the last axis; zeros stay.
Tensor with_unit_length(const Tensor& x) {
  return x / sqrt(maximum(sum(square(x), {-1}, true), 1e-16));
}

// The parts of predictions [batch, count, width], each [batch, width].
std::vector<Tensor> parts_of(const Tensor& p, std::int64_t count, std::string_view what,
                             std::string_view name) {
  require_float_prediction(p, name);
  require(p.rank() == 3 && p.extent(1) == count,
          "{}: expected predictions [batch, {}, width], the {} of each sample, got {}", name, count,
          what, p.description());
  return unstack(p, 1);
}

void require_margin(double margin, std::string_view name) {
  require(margin > 0 && std::isfinite(margin), "{}: margin must be above 0, got {}", name, margin);
}

void require_temperature(double temperature, std::string_view name) {
  require(temperature > 0 && std::isfinite(temperature), "{}: temperature must be above 0, got {}",
          name, temperature);
}

std::string name_with(std::string_view base, std::string_view option, double value,
                      double otherwise) {
  return value == otherwise ? std::string(base) : fmt::format("{}:{}={}", base, option, value);
}

// Of each pair of samples of a batch, [batch, batch].
struct Pairs {
  Tensor distances, are_positive, are_negative;
};

Pairs pairs_of(const Tensor& p, const Tensor& t, std::string_view name) {
  const Tensor labels = class_labels(p, t, name);
  require(p.rank() == 2, "{}: expected predictions [batch, width], got {}", name, p.description());
  const std::int64_t batch = p.extent(0);
  const Tensor same = equal(expand_dims(labels, 1), expand_dims(labels, 0));
  const Tensor is_itself = equal(iota({batch, batch}, 0), iota({batch, batch}, 1));
  return {distance(expand_dims(p, 1), expand_dims(p, 0)), logical_and(same, logical_not(is_itself)),
          logical_not(same)};
}

// For each anchor the farthest positive and the nearest negative; anchors without one of them are
// left out.
WeightedSum hard_triplets(const Tensor& p, const Tensor& t, const Tensor& w, double margin) {
  const Pairs pairs = pairs_of(p, t, "triplet_hard");
  const Tensor positive = max(where(pairs.are_positive, pairs.distances, 0.0), {1});
  const Tensor negative = min(where(pairs.are_negative, pairs.distances, kFar), {1});
  const Tensor counts = logical_and(any(pairs.are_positive, {1}), any(pairs.are_negative, {1}));
  const Tensor losses = where(counts, tenon::relu(positive - negative + margin), 0.0);
  return weighted_sum(losses, w, "triplet_hard", cast(counts, p.dtype()));
}

// For each pair of an anchor and a positive the nearest negative that is farther than the positive,
// or the farthest of all if none is.
WeightedSum semi_hard_triplets(const Tensor& p, const Tensor& t, const Tensor& w, double margin) {
  const Pairs pairs = pairs_of(p, t, "triplet_semi_hard");
  const Tensor of_positive = expand_dims(pairs.distances, 2);  // [anchor, positive, 1]
  const Tensor of_negative = expand_dims(pairs.distances, 1);  // [anchor, 1, negative]
  const Tensor is_negative = expand_dims(pairs.are_negative, 1);
  const Tensor is_farther = logical_and(is_negative, of_negative > of_positive);
  const Tensor nearest = min(where(is_farther, of_negative, kFar), {2});
  const Tensor farthest = max(where(pairs.are_negative, pairs.distances, 0.0), {1}, true);
  const Tensor negative = where(any(is_farther, {2}), nearest, farthest);
  const Tensor counts = logical_and(pairs.are_positive, any(pairs.are_negative, {1}, true));
  const Tensor losses = where(counts, tenon::relu(pairs.distances - negative + margin), 0.0);
  return weighted_sum(sum(losses, {1}), w, "triplet_semi_hard", sum(cast(counts, p.dtype()), {1}));
}

// 1 for pairs that belong together, [batch].
Tensor togetherness(const Tensor& p, const Tensor& t) {
  Tensor target = cast(t, p.dtype());
  if (target.rank() == 2 && target.extent(1) == 1) target = squeeze(target, {1});
  require(target.shape() == Shape{p.extent(0)},
          "contrastive: expected targets [{}], 1 for pairs that belong together and 0 for others, "
          "got {}",
          p.extent(0), t.description());
  return target;
}

}  // namespace

Loss triplet(double margin) {
  require_margin(margin, "triplet");
  return {.name = name_with("triplet", "margin", margin, 1),
          .apply = [margin](const Tensor& p, const Tensor&, const Tensor& w) {
            const auto parts = parts_of(p, 3, "anchor, positive and negative", "triplet");
            const Tensor nearer = distance(parts[0], parts[1]);
            const Tensor farther = distance(parts[0], parts[2]);
            return weighted_sum(tenon::relu(nearer - farther + margin), w, "triplet");
          }};
}

Loss triplet_hard(double margin) {
  require_margin(margin, "triplet_hard");
  return {.name = name_with("triplet_hard", "margin", margin, 1),
          .apply = [margin](const Tensor& p, const Tensor& t, const Tensor& w) {
            return hard_triplets(p, t, w, margin);
          }};
}

Loss triplet_semi_hard(double margin) {
  require_margin(margin, "triplet_semi_hard");
  return {.name = name_with("triplet_semi_hard", "margin", margin, 1),
          .apply = [margin](const Tensor& p, const Tensor& t, const Tensor& w) {
            return semi_hard_triplets(p, t, w, margin);
          }};
}

Loss contrastive(double margin) {
  require_margin(margin, "contrastive");
  return {.name = name_with("contrastive", "margin", margin, 1),
          .apply = [margin](const Tensor& p, const Tensor& t, const Tensor& w) {
            const auto parts = parts_of(p, 2, "pair", "contrastive");
            const Tensor together = togetherness(p, t);
            const Tensor apart = distance(parts[0], parts[1]);
            const Tensor squares = sum(squared_difference(parts[0], parts[1]), {-1});
            const Tensor losses = 0.5f * (together * squares +
                                          (1.0f - together) * square(tenon::relu(margin - apart)));
            return weighted_sum(losses, w, "contrastive");
          }};
}

Loss info_nce(double temperature) {
  require_temperature(temperature, "info_nce");
  return {.name = name_with("info_nce", "temperature", temperature, 0.1),
          .apply = [temperature](const Tensor& p, const Tensor&, const Tensor& w) {
            const auto parts = parts_of(p, 2, "query and key", "info_nce");
            const Tensor query = with_unit_length(parts[0]), key = with_unit_length(parts[1]);
            const Tensor logits = matmul(query, transpose(key)) / temperature;
            const Tensor own = iota({p.extent(0)}, 0);
            return weighted_sum(sparse_cross_entropy_with_logits(logits, own), w, "info_nce");
          }};
}

Loss nt_xent(double temperature) {
  require_temperature(temperature, "nt_xent");
  return {.name = name_with("nt_xent", "temperature", temperature, 0.5),
          .apply = [temperature](const Tensor& p, const Tensor&, const Tensor& w) {
            const auto parts = parts_of(p, 2, "two views", "nt_xent");
            const std::int64_t batch = p.extent(0), all = 2 * batch;
            const Tensor views = with_unit_length(concatenate(parts, 0));
            const Tensor similar = matmul(views, transpose(views)) / temperature;
            const Tensor is_itself = equal(iota({all, all}, 0), iota({all, all}, 1));
            const Tensor other =
                remainder(iota({all}, 0) + static_cast<int>(batch), static_cast<int>(all));
            const Tensor each =
                sparse_cross_entropy_with_logits(where(is_itself, -kFar, similar), other);
            return weighted_sum(mean(reshape(each, {2, batch}), {0}), w, "nt_xent");
          }};
}

}  // namespace tenon::nn
