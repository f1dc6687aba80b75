#include "tenon/backends/cpu/build_id.h"

#include <cstddef>
#include <cstdint>
#include <span>

#include "tenon/base/text.h"

#if defined(__linux__)
#include <elf.h>
#include <link.h>

#include <cstring>
#endif

namespace tenon::backends {

#if defined(__linux__)

namespace {

struct Search {
  std::uintptr_t address;
  std::string build_id{};
};

std::string hexadecimal(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

// Notes: a header, a name, a description, each filled up to a multiple of `unit`.
std::string build_id_among(std::span<const std::byte> notes, std::size_t unit) {
  const auto padded = [unit](std::size_t size) { return (size + unit - 1) / unit * unit; };
  constexpr std::string_view kOwner("GNU\0", 4);
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes.data(), sizeof header);
    notes = notes.subspan(sizeof header);
    const std::size_t name = padded(header.n_namesz), description = padded(header.n_descsz);
    if (name > notes.size() || description > notes.size() - name) break;
    const std::string_view owner(reinterpret_cast<const char*>(notes.data()), header.n_namesz);
    if (header.n_type == NT_GNU_BUILD_ID && owner == kOwner)
      return hexadecimal(notes.subspan(name, header.n_descsz));
    notes = notes.subspan(name + description);
  }
  return "";
}

int search_object(dl_phdr_info* object, std::size_t, void* context) {
  Search& search = *static_cast<Search*>(context);
  const std::span segments(object->dlpi_phdr, object->dlpi_phnum);
  bool holds_address = false;
  for (const ElfW(Phdr) & segment : segments)
    holds_address |= segment.p_type == PT_LOAD &&
                     search.address - object->dlpi_addr - segment.p_vaddr < segment.p_memsz;
  if (!holds_address) return 0;
  for (const ElfW(Phdr) & segment : segments) {
    if (segment.p_type != PT_NOTE || !search.build_id.empty()) continue;
    const auto* const notes =
        reinterpret_cast<const std::byte*>(object->dlpi_addr + segment.p_vaddr);
    search.build_id = build_id_among({notes, segment.p_memsz}, segment.p_align == 8 ? 8 : 4);
  }
  return 1;
}

}  // namespace

std::string build_id_of(const void* address) {
  Search search{reinterpret_cast<std::uintptr_t>(address)};
  dl_iterate_phdr(search_object, &search);
  return search.build_id;
}

#else

std::string build_id_of(const void*) { return ""; }

#endif

}  // namespace tenon::backends
