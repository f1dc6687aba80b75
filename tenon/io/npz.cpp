#include "tenon/io/npz.h"

#include "tenon/base/text.h"
#include "tenon/io/npy.h"

namespace tenon::io {

constexpr std::string_view kNpySuffix = ".npy";

NamedTensors read_npz(const ByteSource& source, std::uint64_t limit) {
  NamedTensors tensors;
  for (const ZipMember& member : read_zip_directory(source, limit)) {
    std::string_view name = member.name;
    if (!name.ends_with(kNpySuffix))
      fail_at(source.name(), member.offset, "the member {} is not a .npy file", in_quotes(name));
    name.remove_suffix(kNpySuffix.size());
    tensors.emplace(name, read_npy(read_zip_member(source, member)));
  }
  return tensors;
}

NamedTensors read_npz(const std::filesystem::path& path) {
  return read_npz(ByteSource::open(path));
}

void write_npz(const std::filesystem::path& path, const NamedTensors& tensors, ZipMethod method) {
  ZipWriter archive(path);
  for (const auto& [name, tensor] : tensors) {
    const std::string header = npy_header(tensor.type());
    archive.add(name + std::string(kNpySuffix), {std::as_bytes(std::span(header)), tensor.bytes()},
                method);
  }
  archive.commit();
}

}  // namespace tenon::io
