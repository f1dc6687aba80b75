#include "tenon/cli/report_examples.h"

#include <algorithm>

#include "tenon/base/text.h"
#include "tenon/cli/report_page.h"
#include "tenon/io/png.h"

namespace tenon::cli {
namespace {

// RFC 4648.
std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8 | (i + k < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kDigits[(word >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

// The characters before the step that was wrong, in the order of the text.
std::string context_text(const Mistake& mistake, const std::vector<std::string>& vocabulary) {
  constexpr std::int64_t kMostShown = 80;
  std::string text;
  const std::int64_t first = std::max<std::int64_t>(0, mistake.position + 1 - kMostShown);
  if (first > 0) text += "\xe2\x80\xa6";
  for (std::int64_t i = first; i <= mistake.position; ++i) {
    const auto id = static_cast<std::int64_t>(element_as_double(mistake.sample, i));
    text += id >= 0 && id < std::ssize(vocabulary) ? vocabulary[static_cast<std::size_t>(id)]
                                                   : fmt::format("[{}]", id);
  }
  return text;
}

std::string row_numbers(const HostTensor& sample) {
  constexpr std::int64_t kMostShown = 24;
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < std::min(sample.size(), kMostShown); ++i)
    texts.push_back(fmt::format("{:.5g}", element_as_double(sample, i)));
  return join(texts, "  ") + (sample.size() > kMostShown ? "  \xe2\x80\xa6" : "");
}

std::string shown_sample(const Mistake& mistake, const RunReport& report,
                         const std::string& picture) {
  if (!picture.empty())
    return fmt::format("<img alt=\"sample {}, {}\" src=\"{}\">\n", mistake.row,
                       html_text(mistake.truth), picture);
  const std::string text = report.vocabulary.empty() ? row_numbers(mistake.sample)
                                                     : context_text(mistake, report.vocabulary);
  return fmt::format("<div class=\"sample\">{}</div>\n", html_text(text));
}

std::string caption(const Mistake& mistake, const RunReport& report) {
  const std::string place = report.vocabulary.empty()
                                ? fmt::format("row {}", mistake.row)
                                : fmt::format("row {}, step {}", mistake.row, mistake.position);
  const std::string truth = html_text(visible_text(mistake.truth));
  const std::string predicted = html_text(visible_text(mistake.predicted));
  if (report.errors)
    return fmt::format(
        "truth <b>{}</b><br>predicted <b class=\"wrong\">{}</b><br><span "
        "class=\"quiet\">off by {:.4g}, {}</span>",
        truth, predicted, mistake.size, place);
  return fmt::format(
      "truth <b>{}</b><br>taken for <b class=\"wrong\">{}</b>, {:.1f}&nbsp;%<br><span "
      "class=\"quiet\">{}</span>",
      truth, predicted, 100 * mistake.size, place);
}

}  // namespace

std::string visible_text(const std::string& text) {
  if (text == " ") return "\xe2\x90\xa3";
  std::string out;
  for (const char c : text) {
    if (c == '\n')
      out += "\xe2\x8f\x8e";
    else
      out += c;
  }
  return out;
}

std::string picture_uri(const HostTensor& sample) {
  const Shape& shape = sample.shape();
  const bool has_channels = shape.size() == 3 && (shape[2] == 1 || shape[2] == 3 || shape[2] == 4);
  if (sample.dtype() != DType::u8 || !(shape.size() == 2 || has_channels)) return "";
  for (std::size_t i = 0; i < 2; ++i)
    if (shape[i] < 2 || shape[i] > kMostPictureSide) return "";
  return "data:image/png;base64," + base64(io::png_bytes(sample));
}

std::string mistakes_html(const RunReport& report) {
  if (report.mistakes.empty())
    return "<p class=\"quiet\">None: every sample was predicted right, or none was asked "
           "for.</p>\n";
  const bool has_pictures = !picture_uri(report.mistakes.front().sample).empty();
  std::string out = fmt::format("<div class=\"mistakes{}\">\n", has_pictures ? "" : " wide");
  for (const Mistake& mistake : report.mistakes)
    out += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n",
                       shown_sample(mistake, report, picture_uri(mistake.sample)),
                       caption(mistake, report));
  return out + "</div>\n";
}

}  // namespace tenon::cli
