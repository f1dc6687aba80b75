#include "tenon/train/name_map_transformers.h"

#include <algorithm>
#include <array>

#include "tenon/base/text.h"

namespace tenon {

void refuse_model(const NameMap& map, const std::string& weight) {
  throw UserError(fmt::format("the map {} is not for this model: it has no name for the weight {}",
                              map.name, in_quotes(weight)));
}

namespace {

// A layer's name with its number, as Tenon writes it.
std::string numbered(std::string_view kind, std::size_t number) {
  return number == 0 ? std::string(kind) : fmt::format("{}_{}", kind, number);
}

// Maps of transformers: names that the model lacks are left out (a head, say), and a model that has
// a weight without a name is not the map's.
class TransformerMap {
 public:
  TransformerMap(NameMap map, std::span<const std::string> weights)
      : map_(std::move(map)), weights_(weights) {}

  bool has(const std::string& weight) const {
    return std::ranges::find(weights_, weight) != weights_.end();
  }
  void add(WeightSource source) {
    if (has(source.weight)) map_.sources.push_back(std::move(source));
  }
  // A Dense layer from a Linear one.
  void add_linear(const std::string& ours, const std::string& theirs) {
    add({ours + "/kernel", theirs + ".weight", TensorChange::output_last});
    add({ours + "/bias", theirs + ".bias"});
  }
  void add_norm(const std::string& ours, const std::string& theirs) {
    add({ours + "/scale", theirs + ".weight"});
    add({ours + "/offset", theirs + ".bias"});
  }
  NameMap finish() {
    for (const std::string& weight : weights_)
      if (std::ranges::find(map_.sources, weight, &WeightSource::weight) == map_.sources.end())
        refuse_model(map_, weight);
    return std::move(map_);
  }
  // How many blocks there are, each with a residual of attention and one of Dense layers.
  std::size_t blocks() const {
    std::size_t count = 0;
    while (has(block(count) + "/multi_head_attention/query_kernel")) ++count;
    return count;
  }
  static std::string block(std::size_t i) { return numbered("residual", 2 * i) + "/sequential"; }
  static std::string dense_block(std::size_t i) {
    return numbered("residual", 2 * i + 1) + "/sequential";
  }

 private:
  NameMap map_;
  std::span<const std::string> weights_;
};

constexpr std::array<std::string_view, 3> kProjections = {"query", "key", "value"};

}  // namespace

NameMap huggingface_gpt2(std::span<const std::string> weights) {
  TransformerMap map({"huggingface-gpt2",
                      {},
                      {"*.attn.bias", "*.attn.masked_bias", "lm_head.weight"},
                      {"", "transformer."}},
                     weights);
  map.add({"embedding/table", "wte.weight"});
  map.add({"learned_positions/table", "wpe.weight"});
  // Conv1D of GPT-2 has its weights as [in, out], unlike Linear.
  const auto add_dense = [&](const std::string& ours, const std::string& theirs) {
    map.add({ours + "/kernel", theirs + ".weight"});
    map.add({ours + "/bias", theirs + ".bias"});
  };
  for (std::size_t i = 0; i < map.blocks(); ++i) {
    const std::string attention = map.block(i), dense = map.dense_block(i);
    const std::string theirs = fmt::format("h.{}.", i);
    map.add_norm(attention + "/layer_norm", theirs + "ln_1");
    for (std::int64_t k = 0; k < 3; ++k) {
      const std::string ours = fmt::format("{}/multi_head_attention/{}", attention,
                                           kProjections[static_cast<std::size_t>(k)]);
      map.add({ours + "_kernel", theirs + "attn.c_attn.weight", TensorChange::none, k, 3});
      map.add({ours + "_bias", theirs + "attn.c_attn.bias", TensorChange::none, k, 3});
    }
    map.add({attention + "/multi_head_attention/output_kernel", theirs + "attn.c_proj.weight"});
    map.add({attention + "/multi_head_attention/output_bias", theirs + "attn.c_proj.bias"});
    map.add_norm(dense + "/layer_norm", theirs + "ln_2");
    add_dense(dense + "/dense", theirs + "mlp.c_fc");
    add_dense(dense + "/dense_1", theirs + "mlp.c_proj");
  }
  map.add_norm("layer_norm", "ln_f");
  return map.finish();
}

NameMap huggingface_bert(std::span<const std::string> weights) {
  // The head stands beside the encoder; names are those after "bert.".
  const bool has_head = std::ranges::find(weights, "tied_dense/bias") != weights.end();
  const std::string encoder = has_head ? "bert." : "";
  TransformerMap map({"huggingface-bert",
                      {},
                      {"*position_ids", "*pooler.*", "cls.seq_relationship.*",
                       "cls.predictions.decoder.*", "*embeddings.token_type_embeddings.weight"},
                      {"", "bert."}},
                     weights);
  map.add({"embedding/table", encoder + "embeddings.word_embeddings.weight"});
  // The first segment's row is added to every word, as positions are.
  map.add({"learned_positions/table", encoder + "embeddings.position_embeddings.weight",
           TensorChange::none, 0, 1, encoder + "embeddings.token_type_embeddings.weight"});
  map.add_norm("layer_norm", encoder + "embeddings.LayerNorm");
  const std::size_t blocks = map.blocks();
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::string theirs = fmt::format("{}encoder.layer.{}.", encoder, i);
    const std::string attention = map.block(i) + "/multi_head_attention/";
    for (const std::string_view what : kProjections) {
      map.add({fmt::format("{}{}_kernel", attention, what),
               fmt::format("{}attention.self.{}.weight", theirs, what), TensorChange::output_last});
      map.add({fmt::format("{}{}_bias", attention, what),
               fmt::format("{}attention.self.{}.bias", theirs, what)});
    }
    map.add({attention + "output_kernel", theirs + "attention.output.dense.weight",
             TensorChange::output_last});
    map.add({attention + "output_bias", theirs + "attention.output.dense.bias"});
    map.add_norm(numbered("layer_norm", 2 * i + 1), theirs + "attention.output.LayerNorm");
    map.add_linear(map.dense_block(i) + "/dense", theirs + "intermediate.dense");
    map.add_linear(map.dense_block(i) + "/dense_1", theirs + "output.dense");
    map.add_norm(numbered("layer_norm", 2 * i + 2), theirs + "output.LayerNorm");
  }
  map.add_linear("dense", "cls.predictions.transform.dense");
  map.add_norm(numbered("layer_norm", 2 * blocks + 1), "cls.predictions.transform.LayerNorm");
  map.add({"tied_dense/bias", "cls.predictions.bias"});
  return map.finish();
}

NameMap torchvision_vit(std::span<const std::string> weights) {
  TransformerMap map({"torchvision-vit", {}}, weights);
  map.add_linear("conv2d", "conv_proj");
  map.add({"class_token/token", "class_token"});
  map.add({"learned_positions/table", "encoder.pos_embedding"});
  for (std::size_t i = 0; i < map.blocks(); ++i) {
    const std::string attention = map.block(i), dense = map.dense_block(i);
    const std::string theirs = fmt::format("encoder.layers.encoder_layer_{}.", i);
    map.add_norm(attention + "/layer_norm", theirs + "ln_1");
    const std::string ours = attention + "/multi_head_attention/";
    for (std::int64_t k = 0; k < 3; ++k) {
      const std::string_view what = kProjections[static_cast<std::size_t>(k)];
      map.add({fmt::format("{}{}_kernel", ours, what), theirs + "self_attention.in_proj_weight",
               TensorChange::output_last, k, 3});
      map.add({fmt::format("{}{}_bias", ours, what), theirs + "self_attention.in_proj_bias",
               TensorChange::none, k, 3});
    }
    map.add({ours + "output_kernel", theirs + "self_attention.out_proj.weight",
             TensorChange::output_last});
    map.add({ours + "output_bias", theirs + "self_attention.out_proj.bias"});
    map.add_norm(dense + "/layer_norm", theirs + "ln_2");
    map.add_linear(dense + "/dense", theirs + "mlp.0");
    map.add_linear(dense + "/dense_1", theirs + "mlp.3");
  }
  map.add_norm("layer_norm", "encoder.ln");
  map.add_linear("dense", "heads.head");
  return map.finish();
}

}  // namespace tenon
