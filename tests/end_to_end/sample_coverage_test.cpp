// Every layer, loss, metric, optimizer, schedule and augmentation has numbers of an independent
// implementation in tests/data, or a reason on a list here.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tenon/augment/augmentation.h"
#include "tenon/base/text.h"
#include "tenon/nn/layer.h"
#include "tenon/nn/loss.h"
#include "tenon/nn/metric.h"
#include "tenon/optim/optimizer.h"
#include "tenon/optim/schedule.h"
#include "tests/data/sample_reading.h"
#include "tests/error_of.h"

namespace tenon {
namespace {

using Names = std::set<std::string>;
using Reasons = std::map<std::string, std::string>;

// The names in field `field` of the records in `section`; of "huber:delta=0.5" the part before the
// colon, of a sum of losses none.
Names sampled(const std::string& file, const std::string& section, const std::string& field) {
  Names names;
  const nlohmann::json all = samples::read_samples(file);
  for (const nlohmann::json& record : all.at(section)) {
    if (!record.contains(field)) continue;
    const auto name = record.at(field).get<std::string>();
    if (name.find(" + ") == std::string::npos) names.insert(name.substr(0, name.find(':')));
  }
  return names;
}

Names united(std::initializer_list<Names> all) {
  Names names;
  for (const Names& some : all) names.insert(some.begin(), some.end());
  return names;
}

// Of "unknown loss "?"; known: a, b, c".
Names known_by_message(const std::string& message) {
  constexpr std::string_view kKnown = "; known: ";
  const std::size_t at = message.find(kKnown);
  EXPECT_NE(at, std::string::npos) << message;
  Names names;
  if (at == std::string::npos) return names;
  const std::string list = message.substr(at + kKnown.size());
  for (const std::string_view name :
       split(std::string_view(list).substr(0, list.find("; did you")), ','))
    names.emplace(trim(name));
  return names;
}

template <class Kinds>
Names kinds_of(const Kinds& kinds) {
  Names names;
  for (const auto& kind : kinds) names.emplace(kind.kind);
  return names;
}

// Exactly what has no samples stands on the list.
void expect_covered(const Names& known, const Names& with_samples, const Reasons& elsewhere) {
  EXPECT_GT(known.size(), 5u);
  for (const std::string& name : known)
    EXPECT_NE(with_samples.contains(name), elsewhere.contains(name))
        << name
        << (with_samples.contains(name) ? " has samples and a reason for having none"
                                        : " has neither samples nor a reason");
  for (const auto& [name, reason] : elsewhere) EXPECT_TRUE(known.contains(name)) << name;
}

TEST(SampleCoverage, OfLayers) {
  const auto kinds = nn::layer_kinds();
  const Names with_samples = united({sampled("layer_samples.json", "layers", "layer"),
                                     sampled("image_layer_samples.json", "layers", "layer"),
                                     sampled("sequence_layer_samples.json", "layers", "layer"),
                                     sampled("model_layer_samples.json", "layers", "layer"),
                                     sampled("language_model_samples.json", "layers", "layer"),
                                     sampled("language_model_samples.json", "models", "model")});
  expect_covered({kinds.begin(), kinds.end()}, with_samples,
                 {{"batch_norm", "layer_samples.json: batch_norm, several steps"},
                  {"distilled", "compression_samples.json: distilled"},
                  {"quantized_dense", "compression_samples.json: dense"},
                  {"quantized_conv2d", "compression_samples.json: convolution"},
                  {"dropout", "draws: nn/module_test.cpp, layer_updates_test.cpp"},
                  {"masked_tokens",
                   "draws: the choice and the loss of the chosen in nn/masked_sequence_test.cpp"},
                  {"penalized", "sums of squares written out in nn/penalty_test.cpp"},
                  {"sequential", "computes nothing itself"}});
  for (const char* section : {"distilled", "dense", "convolution"})
    EXPECT_FALSE(samples::read_samples("compression_samples.json").at(section).empty());
  EXPECT_FALSE(samples::read_samples("layer_samples.json").at("batch_norm").empty());
}

TEST(SampleCoverage, OfLosses) {
  expect_covered(known_by_message(error_of([] { nn::find_loss("?"); })),
                 united({sampled("layer_samples.json", "losses", "loss"),
                         sampled("loss_samples.json", "losses", "loss"),
                         sampled("embedding_loss_samples.json", "losses", "loss")}),
                 {});
}

TEST(SampleCoverage, OfMetrics) {
  expect_covered(known_by_message(error_of([] { nn::find_metric("?"); })),
                 sampled("metric_samples.json", "metrics", "metric"), {});
}

TEST(SampleCoverage, OfOptimizersAndSchedules) {
  expect_covered(kinds_of(optim::optimizer_kinds()),
                 sampled("optimizer_samples.json", "optimizers", "optimizer"), {});
  expect_covered(kinds_of(optim::schedule_kinds()),
                 sampled("optimizer_samples.json", "schedules", "schedule"), {});
}

TEST(SampleCoverage, OfAugmentations) {
  Names with_samples = sampled("augment_samples.json", "changes", "change");
  EXPECT_EQ(with_samples.erase("combined"), 1u);  // several of them at once
  const std::vector<std::string> names = augment::change_names();
  expect_covered({names.begin(), names.end()}, with_samples,
                 {{"noise", "draws: its spread is measured in augment/apply_test.cpp"}});
}

}  // namespace
}  // namespace tenon
