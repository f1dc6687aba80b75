// The report of a run as one HTML page that needs no network, no script and no other file.
#pragma once
#include <string>

#include "tenon/cli/report_data.h"

namespace tenon::cli {

// UTF-8, whatever the texts of the report hold: bytes that are not UTF-8 become U+FFFD. Nothing in
// them can become markup; a policy in the page refuses scripts and requests all the same. Light or
// dark by the reader's settings.
std::string report_page(const RunReport& report);

// The text with what HTML gives a meaning replaced: fit for content and for quoted attributes.
std::string html_text(std::string_view text);

}  // namespace tenon::cli
