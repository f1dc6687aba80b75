// A graph's signature as a step sees it: which inputs are state, which outputs are results.
#pragma once
#include "tenon/backends/backend.h"

namespace tenon::backends {

struct Signature {
  struct Entry {
    std::string name;
    TensorType type;
    std::uint32_t position = 0;  // among the graph's inputs or outputs
  };
  // Many entries in few blocks of memory: they are made beside a graph and stay when it is gone,
  // and every small block would keep a page of what the graph leaves.
  class PackedEntries {
   public:
    void push_back(std::string_view name, const TensorType& type, std::uint32_t position);
    std::uint32_t position(std::size_t i) const { return places_[i].position; }
    std::vector<Entry> unpacked() const;

   private:
    struct Place {
      std::size_t name_end = 0, shape_end = 0;
      DType dtype = DType::f32;
      std::uint32_t position = 0;
    };
    std::string names_;
    std::vector<std::int64_t> extents_;
    std::vector<Place> places_;
  };
  PackedEntries state;         // inputs that live across steps, in order
  std::vector<Entry> inputs;   // the others (Role::data)
  std::vector<Entry> results;  // outputs that update no input
};

Signature make_signature(const ir::Graph& graph);

// UserError unless there is one host buffer of the right type for each entry; `what` ("state")
// names the kind of entry.
void require_buffers(std::string_view what, std::span<const Signature::Entry> entries,
                     std::span<Buffer* const> buffers);

// The same for the inputs of Step::run_many.
void require_inputs_of_many(std::span<const Signature::Entry> entries,
                            std::span<Buffer* const> buffers, std::size_t moving,
                            std::int64_t count);

// Makes each result a host buffer of its type, keeping those that are already; UserError if the
// number differs.
void prepare_results(const Signature& signature, std::span<Buffer> results);

// Bytes of state, inputs and results; constants and arena are left at zero.
MemoryReport signature_memory(const Signature& signature);

}  // namespace tenon::backends
