#include "tenon/backends/host_buffer.h"

#include <cstdint>
#include <cstring>
#include <typeinfo>

namespace tenon::backends {

namespace {

void require_match(const Buffer& buffer, const TensorType& type, std::string_view action) {
  require(is_host_buffer(buffer), "{}: {}", action,
          buffer ? "the buffer belongs to another backend" : "the buffer is empty");
  require(buffer.type() == type, "{}: the buffer holds {}, the host's tensor is {}", action,
          buffer.type(), type);
}

}  // namespace

Buffer allocate_host_buffer(const BufferType& type) {
  return {type, std::make_unique<HostStorage>(HostTensor(type.type))};
}

Buffer adopt_host_buffer(HostTensor value) {
  const BufferType type{value.type(), {}};
  return {type, std::make_unique<HostStorage>(std::move(value))};
}

bool is_host_buffer(const Buffer& buffer) {
  if (!buffer) return false;
  const BufferStorage& storage = *buffer.storage();
  return typeid(storage) == typeid(HostStorage);
}

void write_host_buffer(Buffer& buffer, const HostView& from) {
  require_match(buffer, from.type, "write");
  static_cast<HostStorage*>(buffer.storage())->lent = nullptr;
  const auto bytes = host_tensor(buffer).bytes();
  if (!bytes.empty()) std::memcpy(bytes.data(), from.data, bytes.size());
}

void read_host_buffer(const Buffer& buffer, const HostSpan& to) {
  require_match(buffer, to.type, "read");
  const std::size_t bytes = host_tensor(buffer).bytes().size();
  if (bytes > 0) std::memcpy(to.data, host_data(buffer), bytes);
}

void lend_host_buffer(Buffer& buffer, const HostView& from) {
  require_match(buffer, from.type, "lend");
  const auto* const data = static_cast<const std::byte*>(from.data);
  if (data == nullptr || reinterpret_cast<std::uintptr_t>(data) % size_of(from.type.dtype) != 0)
    return write_host_buffer(buffer, from);
  static_cast<HostStorage*>(buffer.storage())->lent = data;
}

}  // namespace tenon::backends
