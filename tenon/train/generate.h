// Generation: a trained model of texts goes on from a prompt, one token at a time.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "tenon/train/sampling.h"
#include "tenon/train/trainer.h"

namespace tenon::nn {
class Decoding;
}

namespace tenon {

struct GenerateOptions {
  std::int64_t max_tokens = 100;
  double temperature = 1;  // as in SamplingOptions
  std::int64_t top_k = 0;
  double top_p = 1;
  std::uint64_t seed = 0;            // the same seed, model and prompt give the same tokens
  std::vector<std::int64_t> stop{};  // tokens that end the text; they are not part of it
  std::int64_t vocabulary =
      0;  // only ids below this are chosen, as of a table with spare rows; 0: all
  // Called with each token when it is chosen; false stops.
  std::function<bool(std::int64_t id)> on_token{};
};

enum class GenerationEnd : std::uint8_t { max_tokens, stop_token, callback };

struct Generation {
  std::vector<std::int64_t> ids;  // without the prompt
  GenerationEnd end = GenerationEnd::max_tokens;
  double seconds_to_first_token = 0;  // reading the prompt, compilation included
  double seconds = 0;                 // in all
};

// The compiled steps and the memory of one model; any number of texts, one after another. The
// model maps integer ids [batch, time] to logits [batch, time, vocabulary], each step from those up
// to it. The prompt is read in steps of 32 tokens and of one, then each token takes a step of its
// own, whose cost does not grow: attention keeps keys and values, recurrent layers their state.
// When attention has no room for another step, the last half of what it has seen is read again
// from position 0, and the text goes on from there; recurrent models have no such end.
class Generator {
 public:
  // `context_length`: the steps that attention has room for; 0: those of a training sample. The
  // trainer must outlive this object, and its session keeps the state. UserError for a trainer
  // that is not built, a model that is none of texts or has layers that cannot generate step by
  // step, or more steps than it has positions.
  explicit Generator(Trainer& trainer, std::int64_t context_length = 0);
  ~Generator();
  Generator(Generator&&) noexcept;
  Generator& operator=(Generator&&) noexcept;

  std::int64_t vocabulary() const { return vocabulary_; }
  std::int64_t context_length() const { return context_length_; }
  // Whether a text may outgrow context_length(), so that earlier parts are forgotten.
  bool is_bounded() const;

  // UserError for an empty prompt, ids outside of the vocabulary, options that cannot be, and
  // logits that are no numbers.
  Generation generate(std::span<const std::int64_t> prompt, const GenerateOptions& options = {});

  // Forgets all that was read.
  void reset();
  // Reads ids, after those read before; the logits [vocabulary] that follow the last, in f64.
  // UserError for ids outside of the vocabulary, none, or more than there is room for.
  std::vector<double> read(std::span<const std::int64_t> ids);

 private:
  struct Step {
    CompiledStep step;
    HostTensor ids, position;
  };
  void require_known(std::span<const std::int64_t> ids) const;
  Step& step_of(std::int64_t tokens);
  std::vector<double> run(std::span<const std::int64_t> ids);

  Trainer* trainer_;
  TensorType row_;
  std::int64_t context_length_ = 0;
  std::int64_t vocabulary_ = 0;
  std::int64_t position_ = 0;
  std::unique_ptr<nn::Decoding> decoding_;
  std::map<std::int64_t, Step> steps_;  // by tokens
};

// One text. For several keep a Generator: each one made leaves its memory with the session.
Generation generate(Trainer& trainer, std::span<const std::int64_t> prompt,
                    const GenerateOptions& options = {});

}  // namespace tenon
