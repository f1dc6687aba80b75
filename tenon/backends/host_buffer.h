// Buffers in host memory, shared by the backends that run on the processor.
#pragma once
#include "tenon/backends/backend.h"

namespace tenon::backends {

struct HostStorage final : BufferStorage {
  explicit HostStorage(HostTensor t) : tensor(std::move(t)) {}
  HostTensor tensor;
  const std::byte* lent = nullptr;  // memory of somebody else that is read in its place
};

// Zero-filled. The whole array lies in one piece, whatever the sharding says.
Buffer allocate_host_buffer(const BufferType& type);
// Of the tensor's own memory.
Buffer adopt_host_buffer(HostTensor value);

// UserError unless the buffer holds the view's type.
void write_host_buffer(Buffer& buffer, const HostView& from);
void read_host_buffer(const Buffer& buffer, const HostSpan& to);
// The buffer stands for the view's memory, if that is aligned for its elements; else a copy.
void lend_host_buffer(Buffer& buffer, const HostView& from);

// Whether the buffer lives in host memory.
bool is_host_buffer(const Buffer& buffer);
// The memory behind a buffer for which is_host_buffer holds.
inline HostTensor& host_tensor(const Buffer& buffer) {
  return static_cast<HostStorage*>(buffer.storage())->tensor;
}

// What it holds, its own or lent.
inline const std::byte* host_data(const Buffer& buffer) {
  const auto& storage = static_cast<const HostStorage&>(*buffer.storage());
  return storage.lent != nullptr ? storage.lent : storage.tensor.bytes().data();
}

}  // namespace tenon::backends
