#include "tenon/train/transfer.h"

#include <algorithm>
#include <set>

#include "tenon/base/name_pattern.h"
#include "tenon/base/text.h"
#include "tenon/io/safetensors.h"
#include "tenon/train/name_map.h"

namespace tenon {
namespace {

bool matches_any(std::string_view name, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return matches_pattern(name, pattern); });
}

// UserError if a pattern is of no name.
void require_all_match(const std::vector<std::string>& patterns,
                       const std::vector<std::string>& names) {
  for (const std::string& pattern : patterns)
    require(std::ranges::any_of(
                names, [&](const std::string& name) { return matches_pattern(name, pattern); }),
            "no weight of the model is of the pattern {}\n  help: the names are {}{}",
            in_quotes(pattern),
            join(std::span(names).first(std::min<std::size_t>(names.size(), 8)), ", "),
            names.size() > 8 ? ", ..." : "");
}

std::vector<std::string> names_of_weights(const std::vector<Variable>& weights) {
  std::vector<std::string> names;
  for (const Variable& weight : weights) names.push_back(weight.name());
  return names;
}

// The first prefix with which the file has a tensor of the map.
std::string prefix_in(const io::NamedTensors& tensors, const NameMap& map) {
  for (const std::string& prefix : map.prefixes)
    for (const WeightSource& source : map.sources)
      if (tensors.contains(prefix + source.tensor)) return prefix;
  return map.prefixes.front();
}

std::vector<std::string> set_trainable(const Trainer& trainer,
                                       const std::vector<std::string>& patterns, bool trainable) {
  require(trainer.is_built(), "freeze: the model has no weights yet; fit or build it first");
  const std::vector<Variable> weights = trainer.weights();
  require_all_match(patterns, names_of_weights(weights));
  std::vector<std::string> changed;
  for (const Variable& weight : weights) {
    if (weight.kind() != VariableKind::weight || !matches_any(weight.name(), patterns)) continue;
    weight.set_trainable(trainable);
    changed.push_back(weight.name());
  }
  return changed;
}

}  // namespace

TransferReport load_pretrained(Trainer& trainer, const std::string& file,
                               const TransferOptions& options) {
  require(trainer.is_built(),
          "load_pretrained: the model has no weights yet; fit or build it first");
  const std::vector<Variable> weights = trainer.weights();
  const std::vector<std::string> names = names_of_weights(weights);
  require_all_match(options.skip, names);
  const NameMap map = find_name_map(options.map, names);
  const io::NamedTensors tensors = io::read_safetensors(file).tensors;
  const std::string prefix = prefix_in(tensors, map);

  TransferReport report;
  std::vector<HostTensor> values;
  std::vector<Variable> loaded;
  std::set<std::string, std::less<>> used;
  for (const Variable& weight : weights) {
    const auto source = std::ranges::find(map.sources, weight.name(), &WeightSource::weight);
    const bool is_skipped = matches_any(weight.name(), options.skip);
    require(is_skipped || source != map.sources.end(),
            "{}: the map {} says nothing of the weight {} ({})\n  help: skip it if it is to keep "
            "its value",
            file, map.name, in_quotes(weight.name()), weight.type());
    if (source != map.sources.end()) {
      used.insert(prefix + source->tensor);
      if (!source->plus_row.empty()) used.insert(prefix + source->plus_row);
    }
    if (is_skipped) {
      report.skipped.push_back(weight.name());
      continue;
    }
    values.push_back(make_weight(*source, weight.type(), tensors, prefix, file));
    loaded.push_back(weight);
    report.loaded.push_back(weight.name());
  }
  for (const auto& [name, tensor] : tensors)
    require(used.contains(name) || matches_any(name, map.ignored),
            "{}: tensor {} ({}) is of no weight of the model\n  help: a map of your own "
            "(FILE.json) can name it under \"ignore\"",
            file, in_quotes(name), tensor.type());
  for (std::size_t i = 0; i < loaded.size(); ++i)
    trainer.session().write(loaded[i], std::move(values[i]));
  return report;
}

std::vector<std::string> freeze(const Trainer& trainer, const std::vector<std::string>& patterns) {
  return set_trainable(trainer, patterns, false);
}

std::vector<std::string> unfreeze(const Trainer& trainer,
                                  const std::vector<std::string>& patterns) {
  return set_trainable(trainer, patterns, true);
}

}  // namespace tenon
