// Which build of a program is running.
#pragma once
#include <string>

namespace tenon::backends {

// The build ID, in hexadecimal digits, that the linker gave the program or library that holds the
// address: a hash of its contents. Empty if it has none, or if the system does not tell.
std::string build_id_of(const void* address);

}  // namespace tenon::backends
