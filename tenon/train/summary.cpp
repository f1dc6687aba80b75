// Trainer::summary: a table of the layers, as Keras prints it.
#include "tenon/nn/penalty.h"
#include "tenon/train/trainer_state.h"

namespace tenon {
namespace {

struct SummaryRow {
  std::string name, kind, output, parameters;
};

std::string grouped(std::int64_t number) {
  const std::string digits = fmt::format("{}", number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

// "(None, 28, 28)": the batch may have any size.
std::string output_text(const Shape& shape) {
  std::string text = "(None";
  for (std::size_t i = 1; i < shape.size(); ++i) text += fmt::format(", {}", shape[i]);
  return text + ")";
}

std::int64_t parameters_of(std::span<const Variable> variables) {
  std::int64_t count = 0;
  for (const Variable& variable : variables)
    if (variable.is_defined()) count += element_count(variable.shape());
  return count;
}

// Names as the layers' scopes get them: dense, dense_1, ...
class LayerNames {
 public:
  std::string next(std::string_view kind) {
    const int count = used_[std::string(kind)]++;
    return count == 0 ? std::string(kind) : fmt::format("{}_{}", kind, count);
  }

 private:
  std::map<std::string, int> used_;
};

// Every row as wide as the widest, with a rule under the head.
std::string table_text(const std::vector<SummaryRow>& rows) {
  const SummaryRow head{"Layer (kind)", "", "Output shape", "Parameters"};
  const auto first = [](const SummaryRow& row) {
    return row.kind.empty() ? row.name : fmt::format("{} ({})", row.name, row.kind);
  };
  std::size_t name = first(head).size(), output = head.output.size(),
              parameters = head.parameters.size();
  for (const SummaryRow& row : rows) {
    name = std::max(name, first(row).size());
    output = std::max(output, row.output.size());
    parameters = std::max(parameters, row.parameters.size());
  }
  const std::string rule(name + output + parameters + 6, '-');
  const auto line = [&](const SummaryRow& row) {
    return fmt::format("{:<{}}   {:<{}}   {:>{}}\n", first(row), name, row.output, output,
                       row.parameters, parameters);
  };
  std::string text = line(head) + rule + "\n";
  for (const SummaryRow& row : rows) text += line(row);
  return text + rule + "\n";
}

}  // namespace

std::string Trainer::summary() const {
  const State& state = *state_;
  nn::Layer model = state.model;
  while (const auto* penalized = model.get<nn::Penalized>()) model = nn::Layer(penalized->layer);
  // A model that is no Sequential is one row.
  std::vector<nn::Layer> layers{model};
  if (const auto* sequential = model.get<nn::Sequential>()) layers = sequential->layers;

  std::vector<SummaryRow> rows;
  LayerNames names;
  Tensor value;
  nn::Context context(nn::Mode::inference, {}, state.options.dtype);
  if (state.is_built) {
    TensorType one = state.x_row;
    one.shape.insert(one.shape.begin(), 1);
    value = state.prepare(placeholder("x", one));
  }
  for (const nn::Layer& layer : layers) {
    SummaryRow row{names.next(layer.scope_kind()), std::string(layer.kind()), "?", "?"};
    if (state.is_built) {
      value = layer(value, context);
      row.output = output_text(value.shape());
      row.parameters = grouped(parameters_of(nn::variables_of(layer)));
    }
    rows.push_back(std::move(row));
  }
  std::string text = table_text(rows);
  if (!state.is_built)
    return text + "Parameters are known once the model has seen data (build or fit).\n";
  std::vector<Variable> trainable, fixed;
  for (const Variable& weight : state.weights)
    (weight.is_trainable() ? trainable : fixed).push_back(weight);
  const std::int64_t bytes = [&] {
    std::int64_t sum = 0;
    for (const Variable& weight : state.weights) sum += byte_size(weight.type());
    return sum;
  }();
  text += fmt::format("Total parameters: {} ({:.2f} KiB)\n", grouped(parameters_of(state.weights)),
                      static_cast<double>(bytes) / 1024);
  text += fmt::format("Trainable: {}\n", grouped(parameters_of(trainable)));
  text += fmt::format("Not trainable: {}\n", grouped(parameters_of(fixed)));
  return text;
}

}  // namespace tenon
