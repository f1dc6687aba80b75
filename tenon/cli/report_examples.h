// The mistakes of a report, as pictures, texts or rows of numbers.
#pragma once
#include <string>
#include <string_view>

#include "tenon/cli/report_data.h"

namespace tenon::cli {

// As HTML; a sentence if there are none.
std::string mistakes_html(const RunReport& report);

// Characters that cannot be seen as ones that can: a line end as U+23CE, a space alone as U+2423.
std::string visible_text(const std::string& text);

// A PNG as a data URI, of u8[height, width] or u8[height, width, channels] with 1, 3 or 4 channels;
// empty for other samples and for images of more than kMostPictureSide pixels a side.
inline constexpr std::int64_t kMostPictureSide = 2048;
std::string picture_uri(const HostTensor& sample);

}  // namespace tenon::cli
