// What a layer is given while a model is traced: mode, scope names, variables, random keys.
#pragma once
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tenon/nn/initializer.h"
#include "tenon/nn/weighted_sum.h"

namespace tenon::nn {

class Decoding;  // tenon/nn/decoding.h

enum class Mode : std::uint8_t { training, inference };

// One trace of a model. Variables are created at the first trace under the path of the scopes that
// are open ("encoder/dense_1/kernel"); later traces find them in the layers that hold them.
class Context {
 public:
  // `key`: u32[2], new at every step; needed only by layers that draw random numbers. `dtype`: of
  // the weights of layers whose input does not say it (Embedding); a float type.
  explicit Context(Mode mode, Tensor key = {}, DType dtype = DType::f32)
      : mode_(mode), key_(std::move(key)), dtype_(dtype) {}
  bool is_training() const { return mode_ == Mode::training; }
  DType dtype() const { return dtype_; }

  // The weight as a tensor; defines it on first use: its name is `name` under the current path.
  // UserError if it was built for another type (the message names the layer and where it was
  // first built).
  Tensor variable(const Variable& variable, std::string_view name, const TensorType& type,
                  const Initializer& initializer, VariableKind kind = VariableKind::weight);
  // State that the forward pass updates (BatchNorm). Applied at the end of a step that lists it
  // among its updates; a step that trains without it is refused.
  void assign(const Variable& variable, const Tensor& value);
  // A term of the loss beside that of the predictions: a penalty of weights, a divergence in the
  // middle of a model. Divided by its weight once at the end, as all losses are. UserError unless
  // both are float scalars.
  void add_loss(const WeightedSum& term);
  // Whether this is the first such question about the weight and purpose in this trace: the penalty
  // of a weight that several layers share, or of a layer that is called twice, counts once.
  bool is_first(const Variable& weight, std::string_view purpose) {
    return seen_.emplace(weight.id(), purpose).second;
  }
  // In the order of the calls.
  std::span<const WeightedSum> losses() const { return losses_; }
  // From now on: which steps of the sequences are there and not padding, bool [batch, time]. Layers
  // that mix steps (attention, recurrent ones) leave the others out, as Keras' masks do.
  void set_mask(const Tensor& mask);
  // That of sequences x [batch, time, ...]; empty if there is none for this batch and time.
  Tensor mask_of(const Tensor& x) const;
  // While a model is traced for a step of generation, what its layers remember between steps; else
  // nullptr.
  Decoding* decoding() const { return decoding_; }
  void decode_with(Decoding& decoding) { decoding_ = &decoding; }
  // UserError "LAYER: REASON, ..." while decoding: for layers whose results at one step need later
  // steps.
  void require_whole_sequence(std::string_view layer, std::string_view reason) const;
  // A key for one random site: differs for every call, path and step. UserError without a key.
  Tensor random_key();

  // Opens a scope for the life of the object. `kind` becomes "dense", "dense_1", ... within its
  // parent, in order of opening. `input`: of the layer whose scope it is, if there is one.
  class Scope {
   public:
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    friend class Context;
    explicit Scope(Context& context) : context_(context) {}
    Context& context_;
  };
  [[nodiscard]] Scope scope(std::string_view kind, Tensor input = {});
  std::string path() const;  // "encoder/dense_1", empty at the top

  // All updates of a training step: those of the optimizer (an optim::Optimizer), for the trainable
  // weights met, and those of the layers. The losses that layers added are minimised too.
  // `loss_weight`: what the mean loss was divided by, for an optimizer that accumulates gradients.
  template <class Optimizer>
  std::vector<Update> minimize(const Tensor& loss, const Optimizer& optimizer,
                               const Tensor& loss_weight = 1.0) const {
    std::vector<Update> all = optimizer.minimize(total_loss(loss), variables(), loss_weight);
    all.insert(all.end(), updates_.begin(), updates_.end());
    return all;
  }
  // The loss and all that layers added.
  Tensor total_loss(const Tensor& loss) const;
  // Those of the layers alone.
  std::span<const Update> updates() const { return updates_; }
  // Every variable met, in order, each once.
  std::span<const Variable> variables() const { return variables_; }

 private:
  struct Level {
    std::string name;
    std::map<std::string, int, std::less<>> used;
    Tensor input{};
  };
  Mode mode_;
  Tensor key_;
  DType dtype_;
  int keys_drawn_ = 0;
  std::vector<Level> levels_{Level{}};
  std::vector<Update> updates_;
  std::vector<Variable> variables_;
  std::vector<WeightedSum> losses_;
  std::set<std::pair<std::uint64_t, std::string>> seen_;
  Tensor mask_{};
  Decoding* decoding_ = nullptr;
};

}  // namespace tenon::nn
