#include "tenon/cli/augment_options.h"

#include "tenon/base/text.h"

namespace tenon::cli {

augment::Augmentation parse_augmentation(std::string_view text) {
  return augment::parse(text == "none" ? std::string_view() : text);
}

CLI::Option* add_augment_option(CLI::App& app, std::string& text) {
  return add_checked(
      app, "--augment", text, [](const std::string& list) { parse_augmentation(list); },
      "changes of training images, as flip,crop:padding=4: " + join(augment::change_names(), ", ") +
          "; or none",
      "LIST");
}

}  // namespace tenon::cli
