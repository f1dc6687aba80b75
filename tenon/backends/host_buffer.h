// Buffers in host memory, shared by the backends that run on the processor.
#pragma once
#include "tenon/backends/backend.h"

namespace tenon::backends {

struct HostStorage final : BufferStorage {
  explicit HostStorage(HostTensor t) : tensor(std::move(t)) {}
  HostTensor tensor;
};

// Zero-filled. The whole array lies in one piece, whatever the sharding says.
Buffer allocate_host_buffer(const BufferType& type);
// Of the tensor's own memory.
Buffer adopt_host_buffer(HostTensor value);

// UserError unless the buffer holds the view's type.
void write_host_buffer(Buffer& buffer, const HostView& from);
void read_host_buffer(const Buffer& buffer, const HostSpan& to);

// Whether the buffer lives in host memory.
bool is_host_buffer(const Buffer& buffer);
// The memory behind a buffer for which is_host_buffer holds.
inline HostTensor& host_tensor(const Buffer& buffer) {
  return static_cast<HostStorage*>(buffer.storage())->tensor;
}

}  // namespace tenon::backends
