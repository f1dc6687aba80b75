#include "tenon/cli/text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tenon::cli {

std::string facts_text(const Facts& facts) {
  std::size_t width = 0;
  for (const auto& [name, value] : facts) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : facts) text += fmt::format("  {:<{}}  {}\n", name, width, value);
  return text;
}

std::string grouped_text(std::int64_t number) {
  const std::string digits = fmt::format("{}", number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0 && digits[i - 1] != '-') text += ',';
    text += digits[i];
  }
  return text;
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0)) return "?";
  if (seconds < 1e-4) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 1e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
  if (seconds < 100) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::min(seconds, 1e15));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string scaled_text(double value) {
  constexpr std::array<const char*, 6> kUnits = {"", " k", " M", " G", " T", " P"};
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f}{}", value, unit == 0 ? 0 : 2, kUnits[unit]);
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::vector<std::string> picture_lines(const HostTensor& image, std::int64_t columns) {
  const Shape& shape = image.shape();
  if (image.dtype() != DType::u8 || shape.size() < 2 || shape.size() > 3 || image.size() == 0)
    return {};
  const std::int64_t height = shape[0], width = shape[1], depth = shape.size() == 3 ? shape[2] : 1;
  const std::int64_t across = std::min(columns, width);
  // Characters are about twice as high as wide.
  const std::int64_t down = std::max<std::int64_t>(1, across * height / (2 * width));
  if (down > columns * 2) return {};
  constexpr std::string_view kShades = " .:-=+*#%@";
  const auto pixels = image.as<std::uint8_t>();
  std::vector<std::string> lines;
  for (std::int64_t i = 0; i < down; ++i) {
    std::string line;
    for (std::int64_t j = 0; j < across; ++j) {
      // The mean of the pixels that the character covers.
      const std::int64_t top = i * height / down,
                         bottom = std::max((i + 1) * height / down, top + 1);
      const std::int64_t left = j * width / across,
                         right = std::max((j + 1) * width / across, left + 1);
      double sum = 0;
      for (std::int64_t y = top; y < bottom; ++y)
        for (std::int64_t x = left; x < right; ++x)
          for (std::int64_t c = 0; c < depth; ++c)
            sum += pixels[static_cast<std::size_t>((y * width + x) * depth + c)];
      const double mean = sum / static_cast<double>((bottom - top) * (right - left) * depth);
      line += kShades[static_cast<std::size_t>(mean / 256 * kShades.size())];
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace tenon::cli
