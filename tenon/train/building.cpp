// Makes a Trainer's state: what its options, its data and a first trace of the model decide.
#include "tenon/train/known_ids.h"
#include "tenon/train/step_tracing.h"
#include "tenon/train/traced_step.h"

namespace tenon {
namespace {

// The same loss of one-hot or soft targets. UserError if there is none.
nn::Loss loss_of_soft_targets(const nn::Loss& loss) {
  constexpr std::string_view kSparse = "sparse_";
  if (loss.targets == nn::TargetKind::probabilities) return loss;
  require(loss.name.starts_with(kSparse),
          "Trainer: the augmentation mixes samples, which needs a categorical cross entropy; the "
          "loss is {}",
          loss.name);
  return nn::find_loss(loss.name.substr(kSparse.size()));
}

}  // namespace

Trainer::State::State(nn::Layer m, TrainerOptions o)
    : model(std::move(m)),
      options(std::move(o)),
      session(options.device, {.threads = options.threads,
                               .seed = options.seed,
                               .cache_folder = options.cache_folder,
                               .log = options.log,
                               .keep_texts = options.keep_texts,
                               .profile = options.profile,
                               .skip = options.skip}) {
  require(options.dtype == DType::f32 || options.dtype == DType::f64,
          "Trainer: dtype must be f32 or f64, got {}", options.dtype);
  require(static_cast<bool>(options.loss.apply), "Trainer: loss \"{}\" has no function",
          options.loss.name);
  for (const nn::Metric& metric : options.metrics)
    require(metric.has_function(), "Trainer: metric \"{}\" has no function", metric.name);
  for (const nn::Metric& metric : options.metrics)
    require(!metric.is_of_classes || options.loss.targets != nn::TargetKind::numbers,
            "Trainer: metric {} is of classes, loss {} is of numbers; leave the metric out, or "
            "choose a loss of classes",
            metric.name, options.loss.name);
  require(options.dtype == DType::f32 || options.precision == PrecisionPolicy::f32,
          "Trainer: precision {} is for weights of f32, dtype is {}",
          passes::name(options.precision), options.dtype);
  // Two trainers may be given one optimizer; each has moments of its own.
  optim::UpdateOptions updates = options.optimizer.options();
  if (options.precision == PrecisionPolicy::fp16 && updates.loss_scale.initial == 0)
    updates.loss_scale.initial = optim::kUsualLossScale;
  options.optimizer = options.optimizer.clone(updates);
  training_loss = options.augmentation.mixes() ? loss_of_soft_targets(options.loss) : options.loss;
  options.schedule = options.schedule.clone();
  if (!options.schedule.is_constant()) {
    learning_rate = options.optimizer.learning_rate();
    first_rate = learning_rate.initial_value(options.seed).as<double>()[0];
  }
  key.define("random/key", {DType::u32, {2}}, VariableKind::key, [](std::uint64_t seed) {
    return make_tensor<std::uint32_t>(
        {2}, {static_cast<std::uint32_t>(seed >> 32), static_cast<std::uint32_t>(seed)});
  });
  step_counter.define("random/step", {DType::i32, {}}, VariableKind::statistic,
                      [](std::uint64_t) { return make_scalar<std::int32_t>(0); });
  epoch.define("random/epoch", {DType::u32, {}}, VariableKind::scalar,
               [](std::uint64_t) { return make_scalar<std::uint32_t>(0); });
}

void Trainer::State::require_fits(const data::Source& source, std::string_view purpose,
                                  const LoadingOptions& loading) const {
  require(source.size() != 0, "{}: dataset \"{}\" has no samples", purpose, source.name());
  require(source.has_y(), "{}: dataset \"{}\" has no labels", purpose, source.name());
  const bool has_weights = source.dataset() != nullptr && source.dataset()->has_weights();
  require(
      !has_weights || !model.has_own_loss(),
      "{}: dataset \"{}\" has sample weights; the model has a loss of its own, which takes none",
      purpose, source.name());
  const bool is_binary = options.loss.targets == nn::TargetKind::two_classes;
  require(!is_binary || !source.has_classes() || source.class_count() <= 2,
          "{}: loss {} takes the labels 0 and 1, dataset \"{}\" has {} classes; use "
          "sparse_categorical_cross_entropy_from_logits",
          purpose, options.loss.name, source.name(), source.class_count());
  if (!is_built) return;
  const bool may_differ = loading.padding.has_value() || loading.buckets.has_value();
  const auto fits = [&](const TensorType& row, const TensorType& known) {
    return row == known ||
           (may_differ && row.dtype == known.dtype && row.shape.size() == known.shape.size());
  };
  require(fits(source.x_row(), x_row), "{}: samples of \"{}\" are {}, the model was built for {}",
          purpose, source.name(), source.x_row(), x_row);
  require(fits(source.y_row(), y_row), "{}: labels of \"{}\" are {}, the model was built for {}",
          purpose, source.name(), source.y_row(), y_row);
  if (source.has_classes() && options.loss.targets == nn::TargetKind::classes && !makes_own_targets)
    require(source.class_count() <= outputs,
            "{}: dataset \"{}\" has {} classes, the model's last layer has {} outputs; give it {} "
            "units",
            purpose, source.name(), source.class_count(), outputs, source.class_count());
  if (source.dataset() != nullptr) require_ids(source.dataset()->x(), purpose, source.name());
}

void Trainer::State::require_ids(const data::Array& x, std::string_view purpose,
                                 std::string_view name) const {
  if (x.dtype() != DType::i32 || ids == 0) return;
  const std::span values(reinterpret_cast<const std::int32_t*>(x.data()),
                         static_cast<std::size_t>(element_count(x.type().shape)));
  require_known_ids(values, element_count(x_row.shape), ids, purpose, name);
}

void Trainer::State::build(const data::Source& source) {
  if (is_built) return;
  require_fits(source, "fit");
  const bool images = source.x_row().dtype == DType::u8;
  const auto kind = options.normalization.value_or(images ? data::NormalizationKind::zero_to_one
                                                          : data::NormalizationKind::none);
  const bool needs_samples = source.stream() == nullptr ||
                             kind == data::NormalizationKind::standard ||
                             (kind != data::NormalizationKind::none && !images);
  normalization =
      data::Normalization::fit(needs_samples ? source.sampled() : source.take(1).sampled(), kind);
  x_row = source.x_row();
  y_row = source.y_row();
  class_names = source.class_names();
  define_weights();
  // What holds for the model as built, not only for its first data.
  try {
    require_fits(source, "fit");
  } catch (const UserError&) {
    is_built = false;
    throw;
  }
}

void Trainer::State::define_weights() {
  TensorType one = x_row, one_y = y_row;
  one.shape.insert(one.shape.begin(), 1);
  one_y.shape.insert(one_y.shape.begin(), 1);
  nn::Context context(nn::Mode::inference, evaluation_key(), options.dtype);
  const Tensor target = prepare_target(placeholder("y", one_y), options.dtype);
  // A loss that does not fit the last layer is told now, not after compiling.
  const nn::Outcome outcome =
      outcome_of(model, options.loss, prepare(placeholder("x", one)), target, {}, context);
  const Tensor& prediction = outcome.prediction;
  makes_own_targets = !outcome.target.is_empty();
  const Tensor compared = makes_own_targets ? outcome.target : shaped_target(prediction, target);
  metric_sizes.clear();
  for (const nn::Metric& metric : options.metrics)
    metric_sizes.push_back(
        metric.apply
            ? 2
            : static_cast<std::size_t>(metric.sums(prediction, compared, options.loss).size()));
  ids = known_ids(model);
  outputs = prediction.rank() > 0 ? prediction.extent(-1) : 1;
  weights.assign(context.variables().begin(), context.variables().end());
  table.metrics = metric_names();
  sum_count = 2;
  for (const std::size_t size : metric_sizes) sum_count += size;
  no_sums = HostTensor({DType::f64, {static_cast<std::int64_t>(sum_count)}});
  for (auto [sums, name] : {std::pair{&epoch_sums, "position/epoch_means"},
                            std::pair{&evaluation_sums, "evaluation/sums"}}) {
    *sums = Variable();
    sums->define(name, no_sums.type(), VariableKind::statistic,
                 [zeros = no_sums](std::uint64_t) { return zeros; });
  }
  is_built = true;
}

std::vector<std::string> Trainer::State::metric_names() const {
  std::vector<std::string> names;
  for (const nn::Metric& metric : options.metrics) names.emplace_back(metric.name);
  return names;
}

}  // namespace tenon
