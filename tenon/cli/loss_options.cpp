#include "tenon/cli/loss_options.h"

#include <algorithm>

#include "tenon/base/text.h"

namespace tenon::cli {
namespace {

constexpr std::string_view kClassWeights = "--class-weights";
constexpr std::string_view kBalanced = "balanced";

std::vector<double> balanced_weights(const data::Source& train) {
  const auto classes = static_cast<std::size_t>(train.class_count());
  std::vector<double> counts(classes);
  double all = 0;
  if (train.dataset() == nullptr)
    refuse_option(kClassWeights, "balanced weights count all labels, {} is streamed", train.name());
  const HostTensor labels = train.dataset()->y().tensor();
  for (const std::int32_t label : labels.as<std::int32_t>()) {
    if (label < 0) continue;  // kNoClass
    ++counts[static_cast<std::size_t>(label)];
    ++all;
  }
  std::vector<double> weights;
  for (std::size_t i = 0; i < classes; ++i) {
    if (counts[i] == 0)
      refuse_option(kClassWeights,
                    "class {} has no sample to be balanced by; give a weight for each class",
                    i < train.class_names().size() ? in_quotes(train.class_names()[i])
                                                   : fmt::format("{}", i));
    weights.push_back(all / (static_cast<double>(classes) * counts[i]));
  }
  return weights;
}

std::vector<double> given_weights(const std::string& text) {
  std::vector<double> weights;
  for (const std::string_view number : split(text, ',')) {
    weights.push_back(parse_number(kClassWeights, std::string(number)));
    if (weights.back() < 0)
      refuse_option(kClassWeights, "a weight must be 0 or more, got {}", in_quotes(number));
  }
  return weights;
}

}  // namespace

void add_loss_options(CLI::App& app, LossOptions& options) {
  const auto keep = [&options](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      try {
        options.penalties.push_back(nn::parse_penalty(text));
      } catch (const UserError& error) {
        refuse_option("--penalty", "{}", error.what());
      }
    }
  };
  app.add_option_function<std::vector<std::string>>(
         "--penalty", keep,
         "of weights, added to the loss: l1:A for A * sum |w|, l2:A for A * sum w^2 (of '*kernel' "
         "unless a pattern follows)")
      ->type_name("KIND:NUMBER[:PATTERN]")
      ->allow_extra_args(false);
  add_checked(
      app, "--class-weights", options.class_weights,
      [](const std::string& text) {
        if (text != kBalanced) given_weights(text);
      },
      "of a cross entropy: balanced, or a weight for each class", "balanced|N,N,...");
}

nn::Layer with_penalties(nn::Layer model, const LossOptions& options) {
  std::vector<nn::PenaltyOptions> penalties;  // l1 and l2 of one pattern are one penalty
  for (const nn::PenaltyOptions& penalty : options.penalties) {
    const auto same = std::ranges::find(penalties, penalty.weights, &nn::PenaltyOptions::weights);
    if (same == penalties.end()) {
      penalties.push_back(penalty);
      continue;
    }
    same->l1 += penalty.l1;
    same->l2 += penalty.l2;
  }
  for (nn::PenaltyOptions& penalty : penalties)
    model = nn::Layer(nn::Penalized{std::move(model), std::move(penalty)}, SourceLocation{});
  return model;
}

nn::Loss with_class_weights(const nn::Loss& loss, const LossOptions& options,
                            const data::Source& train) {
  if (options.class_weights.empty()) return loss;
  if (!train.has_classes())
    refuse_option(kClassWeights, "the labels of {} are numbers", train.name());
  const std::vector<double> weights = options.class_weights == kBalanced
                                          ? balanced_weights(train)
                                          : given_weights(options.class_weights);
  if (static_cast<std::int64_t>(weights.size()) != train.class_count())
    refuse_option(kClassWeights, "{} has {} classes, got {} weights", train.name(),
                  train.class_count(), weights.size());
  const std::string_view plain = std::string_view(loss.name).substr(0, loss.name.find(':'));
  const bool is_cross_entropy = plain.find(" + ") == std::string_view::npos &&
                                plain.find("cross_entropy") != std::string_view::npos &&
                                plain.find("focal") == std::string_view::npos;
  if (!is_cross_entropy || loss.name.find("class_weights") != std::string::npos)
    refuse_option(kClassWeights, "{} {}", loss.name,
                  is_cross_entropy ? "has some already" : "takes none; the cross entropies do");
  return nn::find_loss(fmt::format("{}:class_weights={}", loss.name, join(weights, "/")));
}

}  // namespace tenon::cli
