// The three ways Tenon reports failure, and the two functions that raise them.
#pragma once
#include <fmt/format.h>
#include <stdexcept>
#include <string>

namespace tenon {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The caller can fix it: shapes, types, files, arguments.
struct UserError : Error {
  using Error::Error;
};
// A driver, compiler, plugin or peer failed; the message carries its code.
struct BackendError : Error {
  using Error::Error;
};
// A bug in Tenon.
struct InternalError : Error {
  using Error::Error;
};

// Raises UserError with the formatted message unless the condition holds.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) [[unlikely]]
    throw UserError(fmt::format(format, std::forward<Args>(args)...));
}

// Raises InternalError with the formatted message unless the invariant holds.
template <class... Args>
void check(bool invariant, fmt::format_string<Args...> format, Args&&... args) {
  if (!invariant) [[unlikely]]
    throw InternalError("internal error (please report it): " +
                        fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace tenon
