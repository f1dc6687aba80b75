// How results are shown in a terminal: tables, quantities, small pictures.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tenon/base/host_tensor.h"
#include "tenon/base/text.h"

namespace tenon::cli {

// Lines "  name   value" with the values in one column.
using Facts = std::vector<std::pair<std::string, std::string>>;
std::string facts_text(const Facts& facts);

std::string grouped_text(std::int64_t number);  // "60,000"
std::string duration_text(double seconds);      // "1.23 ms", "4.5 s", "2 min 5 s"
std::string scaled_text(double value);          // "1.23 M": for FLOPs and rates

// The text as one word of a shell: in quotes if it needs them.
std::string shell_word(const std::string& text);

// A gray or colour image u8[height, width] or [height, width, channels] as lines of characters, at
// most `columns` wide. Empty for anything else.
std::vector<std::string> picture_lines(const HostTensor& image, std::int64_t columns);

}  // namespace tenon::cli
