#include "tenon/backends/signature.h"

#include "tenon/backends/host_buffer.h"
#include "tenon/ir/graph.h"

namespace tenon::backends {

namespace {

std::int64_t total_bytes(std::span<const Signature::Entry> entries) {
  std::int64_t bytes = 0;
  for (const Signature::Entry& entry : entries) bytes += byte_size(entry.type);
  return bytes;
}

}  // namespace

void Signature::PackedEntries::push_back(std::string_view name, const TensorType& type,
                                         std::uint32_t position) {
  names_ += name;
  extents_.insert(extents_.end(), type.shape.begin(), type.shape.end());
  places_.push_back({names_.size(), extents_.size(), type.dtype, position});
}

std::vector<Signature::Entry> Signature::PackedEntries::unpacked() const {
  std::vector<Entry> entries;
  std::size_t name = 0, shape = 0;
  for (const Place& place : places_) {
    const std::span extents = std::span(extents_).subspan(shape, place.shape_end - shape);
    entries.push_back({names_.substr(name, place.name_end - name),
                       {place.dtype, {extents.begin(), extents.end()}},
                       place.position});
    name = place.name_end;
    shape = place.shape_end;
  }
  return entries;
}

Signature make_signature(const ir::Graph& graph) {
  Signature signature;
  for (std::uint32_t i = 0; i < graph.inputs().size(); ++i) {
    const ir::Input& input = graph.inputs()[i];
    if (input.role == ir::Role::data)
      signature.inputs.push_back({input.name, input.type, i});
    else
      signature.state.push_back(input.name, input.type, i);
  }
  for (std::uint32_t i = 0; i < graph.outputs().size(); ++i) {
    const ir::Output& output = graph.outputs()[i];
    if (!output.updates_input)
      signature.results.push_back({output.name, graph.type(output.value), i});
  }
  return signature;
}

void require_buffers(std::string_view what, std::span<const Signature::Entry> entries,
                     std::span<Buffer* const> buffers) {
  require(buffers.size() == entries.size(), "the step takes {} {} buffers, {} were given",
          entries.size(), what, buffers.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Signature::Entry& entry = entries[i];
    require(buffers[i] != nullptr && *buffers[i],
            "{} {} (\"{}\"): the buffer is empty, expected {}", what, i, entry.name, entry.type);
    require(is_host_buffer(*buffers[i]), "{} {} (\"{}\"): the buffer belongs to another backend",
            what, i, entry.name);
    require(buffers[i]->type() == entry.type, "{} {} (\"{}\"): expected {}, the buffer holds {}",
            what, i, entry.name, entry.type, buffers[i]->type());
  }
}

void require_inputs_of_many(std::span<const Signature::Entry> entries,
                            std::span<Buffer* const> buffers, std::size_t moving,
                            std::int64_t count) {
  require(count >= 1, "run_many: expected 1 run or more, got {}", count);
  require(moving < entries.size(), "run_many: there is no input {}, the step takes {}", moving,
          entries.size());
  std::vector<Signature::Entry> all(entries.begin(), entries.end());
  Shape& shape = all[moving].type.shape;
  shape.insert(shape.begin(), count);
  require_buffers("input", all, buffers);
}

void prepare_results(const Signature& signature, std::span<Buffer> results) {
  require(results.size() == signature.results.size(),
          "the step has {} results, {} buffers were given", signature.results.size(),
          results.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    const TensorType& type = signature.results[i].type;
    if (!is_host_buffer(results[i]) || results[i].type() != type)
      results[i] = allocate_host_buffer({type, {}});
  }
}

MemoryReport signature_memory(const Signature& signature) {
  MemoryReport report;
  report.state = total_bytes(signature.state.unpacked());
  report.inputs = total_bytes(signature.inputs);
  report.results = total_bytes(signature.results);
  return report;
}

}  // namespace tenon::backends
