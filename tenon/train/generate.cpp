#include "tenon/train/generate.h"

#include <algorithm>
#include <chrono>

#include "tenon/base/scalar_convert.h"
#include "tenon/nn/decoding.h"
#include "tenon/tensor/functions.h"

namespace tenon {
namespace {

constexpr std::int64_t kPromptTokens = 32;                    // read at once
constexpr std::int64_t kLargestText = std::int64_t{1} << 30;  // positions are i32

HostTensor as_ids(const TensorType& type, std::span<const std::int64_t> ids) {
  HostTensor tensor(type);
  with_element_type(type.dtype, [&]<class T>(TypeTag<T>) {
    std::ranges::transform(ids, tensor.as<T>().begin(),
                           [](std::int64_t id) { return convert_element<T>(id); });
  });
  return tensor;
}

double generating_seconds(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

Generator::Generator(Trainer& trainer, std::int64_t context_length) : trainer_(&trainer) {
  require(trainer.is_built(),
          "generate: the model has no weights yet; fit, build or load it first");
  row_ = trainer.row_types().x;
  require(is_integer(row_.dtype) && row_.dtype != DType::u8 && row_.rank() == 1,
          "generate: the model's samples are {}, those of a model of texts are ids i32[time]",
          row_);
  context_length_ = context_length == 0 ? row_.shape[0] : context_length;
  decoding_ = std::make_unique<nn::Decoding>(context_length_);
  step_of(1);
  reset();
}
Generator::~Generator() = default;
Generator::Generator(Generator&&) noexcept = default;
Generator& Generator::operator=(Generator&&) noexcept = default;

bool Generator::is_bounded() const { return decoding_->is_bounded(); }

Generator::Step& Generator::step_of(std::int64_t tokens) {
  if (const auto known = steps_.find(tokens); known != steps_.end()) return known->second;
  const Tensor ids = placeholder("ids", {row_.dtype, {1, tokens}});
  const Tensor position = placeholder("position", {DType::i32, {}});
  decoding_->begin(position);
  nn::Context context(nn::Mode::inference, {}, trainer_->options().dtype);
  context.decode_with(*decoding_);
  const Tensor logits = trainer_->model().call_as_root(ids, context);
  require(is_float(logits.dtype()) && logits.rank() == 3 && logits.extent(0) == 1 &&
              logits.extent(1) == tokens && logits.extent(2) > 0,
          "generate: the model gives {} for ids {}; logits [batch, time, vocabulary] expected",
          logits.type(), ids.type());
  vocabulary_ = logits.extent(2);
  const StepResult result{{cast(reshape(index(logits, tokens - 1, 1), {vocabulary_}), DType::f64)},
                          decoding_->updates()};
  Step step{trainer_->session().compile(std::array{ids, position}, result), HostTensor(ids.type()),
            HostTensor(position.type())};
  return steps_.emplace(tokens, std::move(step)).first->second;
}

void Generator::reset() {
  for (const Variable& state : decoding_->state())
    trainer_->session().write(state, HostTensor(state.type()));
  position_ = 0;
}

std::vector<double> Generator::run(std::span<const std::int64_t> ids) {
  Step& step = step_of(static_cast<std::int64_t>(ids.size()));
  step.ids = as_ids(step.ids.type(), ids);
  step.position.as<std::int32_t>()[0] = static_cast<std::int32_t>(position_);
  const HostTensor logits =
      step.step.run(std::array{HostView(step.ids), HostView(step.position)})[0];
  position_ += static_cast<std::int64_t>(ids.size());
  return {logits.as<double>().begin(), logits.as<double>().end()};
}

void Generator::require_known(std::span<const std::int64_t> ids) const {
  for (std::size_t i = 0; i < ids.size(); ++i)
    require(ids[i] >= 0 && ids[i] < vocabulary_,
            "generate: token {} of the prompt is {}, the model has ids 0 to {}", i, ids[i],
            vocabulary_ - 1);
}

std::vector<double> Generator::read(std::span<const std::int64_t> ids) {
  require(!ids.empty(), "generate: there are no tokens to read");
  require_known(ids);
  const std::int64_t room = (is_bounded() ? context_length_ : kLargestText) - position_;
  require(static_cast<std::int64_t>(ids.size()) <= room,
          "generate: {} tokens more than the {} that were read do not fit the context of {}",
          ids.size(), position_, position_ + room);
  std::vector<double> logits;
  while (!ids.empty()) {
    const std::size_t count = ids.size() >= kPromptTokens ? kPromptTokens : 1;
    logits = run(ids.first(count));
    ids = ids.subspan(count);
  }
  return logits;
}

Generation Generator::generate(std::span<const std::int64_t> prompt,
                               const GenerateOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const SamplingOptions sampling{options.temperature, options.top_k, options.top_p};
  require_sampling(sampling);
  require(options.max_tokens >= 0, "generate: max_tokens must be 0 or more, got {}",
          options.max_tokens);
  require(options.vocabulary >= 0 && options.vocabulary <= vocabulary_,
          "generate: a vocabulary of {}, the model has {} ids", options.vocabulary, vocabulary_);
  require(!prompt.empty(), "generate: the prompt is empty; a model of texts goes on from a token");
  require_known(prompt);
  Generation generation;
  if (options.max_tokens == 0) return generation;

  std::vector<std::int64_t> text(prompt.begin(), prompt.end());
  // The end of the text that the context holds, of `count` tokens at most.
  const auto read_again = [&](std::int64_t count) {
    reset();
    const auto size = static_cast<std::int64_t>(text.size());
    return read(std::span(text).last(static_cast<std::size_t>(std::min(size, count))));
  };
  std::vector<double> logits = read_again(is_bounded() ? context_length_ : kLargestText);
  const auto choices =
      static_cast<std::size_t>(options.vocabulary == 0 ? vocabulary_ : options.vocabulary);
  for (std::uint64_t i = 0;; ++i) {
    const std::vector<double> probabilities =
        sampling_probabilities(std::span(logits).first(choices), sampling);
    const std::int64_t id = draw_index(probabilities, uniform_number(options.seed, i));
    if (i == 0) generation.seconds_to_first_token = generating_seconds(begin);
    if (std::ranges::find(options.stop, id) != options.stop.end()) {
      generation.end = GenerationEnd::stop_token;
      break;
    }
    generation.ids.push_back(id);
    text.push_back(id);
    if (options.on_token && !options.on_token(id)) {
      generation.end = GenerationEnd::callback;
      break;
    }
    if (static_cast<std::int64_t>(generation.ids.size()) == options.max_tokens) break;
    const bool is_full = is_bounded() && position_ == context_length_;
    logits = is_full ? read_again(std::max<std::int64_t>(context_length_ / 2, 1))
                     : read(std::span(text).last(1));
  }
  generation.seconds = generating_seconds(begin);
  return generation;
}

Generation generate(Trainer& trainer, std::span<const std::int64_t> prompt,
                    const GenerateOptions& options) {
  return Generator(trainer).generate(prompt, options);
}

}  // namespace tenon
