// Compares text with a file of tests/golden/; TENON_UPDATE_GOLDEN=1 rewrites the file instead.
#pragma once
#include <string>
#include <string_view>

namespace tenon::testing {

// Fails the running test, showing the first differing line, unless tests/golden/NAME.txt holds
// exactly this text.
void expect_golden(std::string_view name, std::string_view text);

}  // namespace tenon::testing
