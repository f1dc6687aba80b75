// The option --augment: random changes of training images.
#pragma once
#include <string>
#include <string_view>

#include "tenon/augment/augmentation.h"
#include "tenon/cli/options.h"

namespace tenon::cli {

// "flip,crop:padding=4,rotate:degrees=10"; "none" and "" change nothing. UserError listing the
// known names or options, and for numbers out of their bounds.
augment::Augmentation parse_augmentation(std::string_view text);

// --augment LIST: `text` is checked at once and parsed by parse_augmentation later.
CLI::Option* add_augment_option(CLI::App& app, std::string& text);

}  // namespace tenon::cli
