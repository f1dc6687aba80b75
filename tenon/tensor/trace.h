// The graph under construction that tensors share, and where its inputs come from.
#pragma once
#include <memory>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "tenon/ir/graph.h"
#include "tenon/tensor/variable.h"

namespace tenon {

// An input that is fed at each run; identified by `id`.
struct Placeholder {
  std::uint64_t id = 0;
  std::string name;
  bool operator==(const Placeholder& other) const { return id == other.id; }
};
using InputSource = std::variant<Placeholder, Variable>;

// A Builder plus the source of each of its inputs. Every constant, placeholder or variable read
// starts a trace of its own; an operation on tensors of several traces merges them into one, so
// nobody passes a graph around. Traces are confined to one thread at a time.
class Trace {
 public:
  ir::Builder builder;
  std::vector<InputSource> sources;  // one per builder input

  // Values that a step prints when it has computed them.
  struct Print {
    ir::Value value;
    std::string label;
    bool operator==(const Print&) const = default;
  };
  std::vector<Print> prints;

  // Updates that layers asked for: a step that trains may not leave them out.
  struct Expected {
    Variable variable;
    ir::Value value;
    std::optional<ir::Value> input;  // of the layer, if that is known
  };
  std::vector<Expected> expected;

  // The Parameter reading this source, made if it is not there yet.
  ir::Value read(const InputSource& source, const TensorType& type);

  // Follows merges: the live trace that now holds `value`, and the value there.
  static std::shared_ptr<Trace> resolve(std::shared_ptr<Trace> trace, ir::Value& value);
  // Makes all (trace, value) pairs live in one trace, which is returned.
  static std::shared_ptr<Trace> merge(const std::shared_ptr<Trace>& a,
                                      const std::shared_ptr<Trace>& b);

 private:
  // The nodes that read sources, by what tells those apart.
  struct SourceHash {
    std::size_t operator()(const InputSource& source) const;
  };
  std::unordered_map<InputSource, std::uint32_t, SourceHash> readers_;
  std::shared_ptr<Trace> merged_into_;
  std::vector<std::uint32_t> renamed_;  // node here -> node in merged_into_
  std::vector<std::uint32_t> renamed_result_;
};

}  // namespace tenon
