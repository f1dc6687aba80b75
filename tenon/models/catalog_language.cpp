// The catalog's entries for networks of texts.
#include "tenon/models/catalog_entries.h"
#include "tenon/models/language.h"
#include "tenon/nn/masked_tokens.h"

namespace tenon::models {
namespace {

constexpr double kMostDropout = 0.99, kMostRotaryBase = 1e12;
// Of tokens that are masked in each step, by an id beyond the vocabulary; 0: the data is masked.
constexpr double kMaskRate = 0.15, kMostMaskRate = 0.9;

std::int64_t quarter_of(std::int64_t size) { return std::max<std::int64_t>(size / 4, 1); }

// Length of the samples, which must be ids.
std::int64_t steps_of(const PartName& part, const Request& request) {
  require(is_integer(request.sample.dtype) && request.sample.dtype != DType::u8 &&
              request.sample.rank() == 1 && request.sample.shape[0] > 0,
          "{} takes texts as ids i32[time], the data's samples are {}", part.name(),
          request.sample);
  return request.sample.shape[0];
}

void read_sizes(PartName& part, const Request& request, BertOptions& options) {
  require_no_activation(part, request);
  options.vocabulary = request.outputs;
  options.context_length = whole_option(part, "context", steps_of(part, request));
  options.layers = whole_option(part, "layers", 4);
  options.heads = whole_option(part, "heads", 4);
  options.width = whole_option(part, "width", 128);
  options.hidden = whole_option(part, "hidden", 4 * options.width);
  options.dropout = number_option(part, "dropout", options.dropout, 0, kMostDropout);
  options.mask_zero = flag_option(part, "mask_zero", false);
}

}  // namespace

nn::Layer gpt_of(PartName& part, const Request& request) {
  const std::int64_t steps = steps_of(part, request);
  const std::optional<std::string> size = part.word("size");
  GptOptions options = gpt_sizes(size.value_or("char"));
  options.vocabulary = request.outputs;
  options.context_length =
      whole_option(part, "context", size ? std::max(steps, options.context_length) : steps);
  options.layers = whole_option(part, "layers", options.layers);
  options.heads = whole_option(part, "heads", options.heads);
  options.width = whole_option(part, "width", options.width);
  options.dropout = number_option(part, "dropout", options.dropout, 0, kMostDropout);
  options.tied = flag_option(part, "tied", options.tied);
  options.use_bias = flag_option(part, "bias", options.use_bias);
  options.rotary_base = number_option(part, "rotary", 0, 0, kMostRotaryBase);
  options.activation = request.activation.value_or(options.activation);
  return gpt(options);
}

nn::Layer char_lstm_of(PartName& part, const Request& request) {
  CharLstmOptions options;
  require_no_activation(part, request);
  steps_of(part, request);
  options.vocabulary = request.outputs;
  options.embedding = whole_option(part, "embedding", options.embedding);
  options.units = whole_options(part, "units", options.units);
  options.dropout = number_option(part, "dropout", options.dropout, 0, kMostDropout);
  return char_lstm(options);
}

nn::Layer bert_of(PartName& part, const Request& request) {
  BertOptions options;
  read_sizes(part, request, options);
  const double rate = number_option(part, "masks", kMaskRate, 0, kMostMaskRate);
  if (rate == 0) return bert(options);
  options.vocabulary += 1;
  return nn::MaskedTokens{.rate = rate, .mask_token = request.outputs, .model = bert(options)};
}

nn::Layer electra_of(PartName& part, const Request& request) {
  ElectraOptions options;
  BertOptions& large = options.discriminator;
  read_sizes(part, request, large);
  options.generator_layers = whole_option(part, "generator_layers", large.layers);
  options.generator_width = whole_option(part, "generator_width", quarter_of(large.width));
  options.generator_heads = whole_option(part, "generator_heads", quarter_of(large.heads));
  options.draws = flag_option(part, "draws", true);
  options.mask_rate = number_option(part, "masks", kMaskRate, 0, kMostMaskRate);
  if (options.mask_rate > 0) large.vocabulary += 1;
  return electra(options);
}

}  // namespace tenon::models
