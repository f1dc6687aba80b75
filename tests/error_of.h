// The message of the error that an action raises.
#pragma once
#include <functional>
#include <string>

#include "tenon/base/error.h"

namespace tenon {

// "no error" if it raises none; errors of other kinds pass through.
template <class Raised = UserError>
std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Raised& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace tenon
