#include "tenon/cli/report_page.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tenon/base/text.h"
#include "tenon/cli/report_charts.h"
#include "tenon/cli/report_examples.h"
#include "tenon/cli/report_style.h"
#include "tenon/train/curves.h"
#include "tenon/version.h"

namespace tenon::cli {
namespace {

constexpr std::size_t kMostMatrixClasses = 25;  // more are listed as pairs
constexpr std::size_t kMostPairs = 30, kMostWeights = 200, kMostClassRows = 200;

std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : fmt::format("{}", value);
}

std::string percent_text(double part) { return fmt::format("{:.1f} %", 100 * part); }

std::string section(std::string_view id, std::string_view title, const std::string& content) {
  if (content.empty()) return "";
  return fmt::format("<section id=\"{0}\"><h2>{1}</h2>\n{2}</section>\n", id, title, content);
}

std::string tile(std::string_view name, const std::string& value) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", html_text(value),
                     html_text(name));
}

std::string facts_table(const Facts& facts) {
  std::string out = "<table class=\"facts\"><tbody>\n";
  for (const auto& [name, value] : facts)
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", html_text(name),
                       html_text(value));
  return out + "</tbody></table>\n";
}

std::string tiles(const RunReport& report) {
  std::string out;
  if (report.evaluation) {
    for (const auto& [name, value] : report.evaluation->metrics)
      out += tile(name, number_text(value));
    out += tile("loss", number_text(report.evaluation->loss));
    out += tile("samples evaluated", grouped_text(report.evaluation->samples));
  } else if (!report.curves.rows.empty()) {
    const std::size_t last = report.curves.rows.size() - 1;
    const char* split = report.curves.rows[last].is_validation ? "validation" : "train";
    const auto values = report.curves.values_of(last);
    out += tile(fmt::format("last {} loss", split), number_text(values[0]));
    for (std::size_t i = 0; i < report.curves.metrics.size(); ++i)
      out += tile(fmt::format("last {} {}", split, report.curves.metrics[i]),
                  number_text(values[i + 1]));
  }
  if (!report.curves.rows.empty())
    out += tile("epochs", grouped_text(report.curves.rows.back().epoch));
  return out + tile("parameters and statistics", grouped_text(report.parameters));
}

std::string curves_section(const RunReport& report) {
  if (report.curves.rows.empty())
    return "<p class=\"quiet\">metrics.csv has no rows yet: no epoch was finished.</p>\n";
  const auto entry = [](std::string_view split) {
    return fmt::format(
        "<span><svg viewBox=\"0 0 28 10\" aria-hidden=\"true\"><line class=\"line {0}\" x1=\"0\" "
        "y1=\"5\" x2=\"28\" y2=\"5\"/></svg>{0}</span>\n",
        split);
  };
  std::string out = "<div class=\"legend\">" + entry("train");
  if (std::ranges::any_of(report.curves.rows, &MetricTable::Row::is_validation))
    out += entry("validation");
  out += "</div>\n<div class=\"columns\">\n";
  for (const std::string& panel : curve_panels(report.curves)) out += "<div>" + panel + "</div>\n";
  return out + "</div>\n";
}

std::string matrix_table(const Confusion& confusion) {
  std::string out =
      "<p class=\"quiet\">Rows are what samples are, columns what they were taken for.</p>\n"
      "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><td></td>\n";
  for (const ClassScore& score : confusion.classes)
    out += fmt::format("<th scope=\"col\"><span>{}</span></th>\n", html_text(score.name));
  out += "</tr></thead><tbody>\n";
  for (std::size_t row = 0; row < confusion.classes.size(); ++row) {
    const ClassScore& truth = confusion.classes[row];
    out += fmt::format("<tr><th scope=\"row\" title=\"{0}\">{0}</th>", html_text(truth.name));
    for (std::size_t column = 0; column < confusion.classes.size(); ++column) {
      const auto found = confusion.counts.find({row, column});
      const std::int64_t count = found == confusion.counts.end() ? 0 : found->second;
      // Rare mistakes have a colour, too: the square root spreads small parts.
      const double part =
          count == 0 ? 0
                     : std::sqrt(static_cast<double>(count) / static_cast<double>(truth.samples));
      out += fmt::format("<td class=\"{}\" style=\"--share:{:.0f}%\">{}</td>",
                         row == column ? "right"
                         : count == 0  ? "none"
                                       : "mistaken",
                         60 * part, count);
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string pairs_table(const Confusion& confusion) {
  std::vector<std::pair<std::int64_t, std::pair<std::int64_t, std::int64_t>>> pairs;
  for (const auto& [pair, count] : confusion.counts)
    if (pair.first != pair.second) pairs.emplace_back(count, pair);
  std::ranges::stable_sort(pairs, std::greater<>(), [](const auto& entry) { return entry.first; });
  pairs.resize(std::min(pairs.size(), kMostPairs));
  std::string out = fmt::format(
      "<p class=\"quiet\">The most frequent mistakes among {} classes.</p>\n<div class=\"scroll\">"
      "<table class=\"pairs\"><thead><tr><th>truth</th><th>taken for</th><th "
      "class=\"number\">times</th></tr></thead><tbody>\n",
      confusion.classes.size());
  const auto name_of = [&](std::int64_t index) {
    return html_text(visible_text(confusion.classes[static_cast<std::size_t>(index)].name));
  };
  for (const auto& [count, pair] : pairs)
    out += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td></tr>\n",
                       name_of(pair.first), name_of(pair.second), grouped_text(count));
  return out + "</tbody></table></div>\n";
}

std::string scores_table(const std::vector<ClassScore>& scores, std::string_view what) {
  std::string out =
      fmt::format("<div class=\"scroll\"><table class=\"classes\"><thead><tr><th>{}</th>", what) +
      "<th class=\"number\">samples</th><th class=\"number\">precision</th>"
      "<th class=\"number\">recall</th><th class=\"number\">F1</th></tr></thead><tbody>\n";
  std::vector<ClassScore> shown = scores;
  std::string note;
  if (shown.size() > kMostClassRows) {
    std::ranges::stable_sort(shown, std::greater<>(), &ClassScore::samples);
    shown.resize(kMostClassRows);
    note = fmt::format("<p class=\"quiet\">The {} most frequent of {}.</p>\n", kMostClassRows,
                       scores.size());
  }
  for (const ClassScore& score : shown)
    out += fmt::format(
        "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>"
        "<td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
        html_text(visible_text(score.name)), grouped_text(score.samples),
        score.predicted > 0 ? percent_text(score.precision()) : "never predicted",
        score.samples > 0 ? percent_text(score.recall()) : "no samples", percent_text(score.f1()));
  return note + out + "</tbody></table></div>\n";
}

std::string errors_section(const NumberErrors& errors) {
  std::string out = facts_table({{"values", grouped_text(errors.values)},
                                 {"mean absolute error", number_text(errors.mean_absolute)},
                                 {"root mean square error", number_text(errors.root_mean_square)},
                                 {"R2", number_text(errors.r2)}});
  const std::string picture = scatter_svg(errors.points);
  return "<div class=\"columns\"><div>" + out + "</div><div>" + picture + "</div></div>\n";
}

std::string moments_text(const Histogram& histogram) {
  if (histogram.count == 0) return "no finite values";
  const auto count = static_cast<double>(histogram.count);
  const double mean = histogram.sum / count;
  const double variance = std::max(0.0, histogram.sum_of_squares / count - mean * mean);
  std::string text =
      fmt::format("mean {}, deviation {}", number_text(mean), number_text(std::sqrt(variance)));
  if (histogram.not_finite > 0)
    text += fmt::format(", {} not finite", grouped_text(histogram.not_finite));
  return text;
}

std::string weights_section(const RunReport& report) {
  std::string out;
  if (!report.data.empty() && report.gradient_note.empty())
    out += fmt::format(
        "<p class=\"quiet\">Gradients are those of the mean loss over {} samples of the "
        "data.</p>\n",
        report.gradient_rows);
  if (!report.gradient_note.empty())
    out +=
        fmt::format("<p class=\"quiet\">No gradients: {}</p>\n", html_text(report.gradient_note));
  if (report.weights.size() > kMostWeights)
    out += fmt::format("<p class=\"quiet\">The first {} of {}.</p>\n", kMostWeights,
                       report.weights.size());
  out += "<div class=\"weights\">\n";
  for (std::size_t i = 0; i < std::min(report.weights.size(), kMostWeights); ++i) {
    const WeightReport& weight = report.weights[i];
    const std::string name = html_text(weight.name);
    out += fmt::format("<div class=\"weight\"><h3>{}</h3><p class=\"quiet\">{}{}<br>{}</p>\n{}",
                       name, html_text(to_string(weight.type)),
                       weight.zeros >= 0.005 ? ", " + percent_text(weight.zeros) + " zeros" : "",
                       moments_text(weight.values),
                       histogram_svg(weight.values, "bar", "values of " + name));
    if (weight.gradient)
      out += fmt::format("<p class=\"quiet\">gradient: {}</p>\n{}", moments_text(*weight.gradient),
                         histogram_svg(*weight.gradient, "bar gradient", "gradient of " + name));
    out += "</div>\n";
  }
  return out + "</div>\n";
}

std::string layers_section(const RunReport& report) {
  std::string out =
      "<div class=\"scroll\"><table class=\"layers\"><thead><tr><th>layer</th><th>output shape</th>"
      "<th class=\"number\">parameters</th></tr></thead><tbody>\n";
  for (const Facts& layer : report.layers)
    out += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td></tr>\n",
                       html_text(layer[0].second), html_text(layer[1].second),
                       html_text(layer[2].second));
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string html_text(std::string_view text) {
  // The JSON writer replaces what is not UTF-8.
  const std::string valid =
      nlohmann::json::parse(nlohmann::json(std::string(text))
                                .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  std::string out;
  for (const char c : valid) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        // Other control characters have no place in a document.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
          out += c;
        else
          out += "\xef\xbf\xbd";
    }
  }
  return out;
}

std::string report_page(const RunReport& report) {
  const std::string title = html_text(report.title.empty() ? "run" : report.title);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<header>\n<h1>{0}</h1>\n"
      "<p class=\"quiet\">{2}</p>\n<div class=\"tiles\" id=\"tiles\">\n{3}</div>\n</header>\n"
      "<main>\n",
      title, kReportStyle,
      report.data.empty() ? "Without data: --data adds what the model does on it."
                          : "Evaluated on " + html_text(report.data) + ".",
      tiles(report));
  out += section("curves", "Training", curves_section(report));
  if (report.confusion) {
    const bool is_small = report.confusion->classes.size() <= kMostMatrixClasses;
    out += section("confusion", is_small ? "Confusion matrix" : "Confused classes",
                   is_small ? matrix_table(*report.confusion) : pairs_table(*report.confusion));
    out += section("classes", "Precision and recall of each class",
                   scores_table(report.confusion->classes, "class"));
  }
  if (!report.labels.empty())
    out +=
        section("labels", "Precision and recall of each label",
                "<p class=\"quiet\">Samples are those that have the label; one is predicted where "
                "its probability is above a half.</p>\n" +
                    scores_table(report.labels, "label"));
  if (report.errors) out += section("errors", "Errors", errors_section(*report.errors));
  if (report.confusion || report.errors || !report.labels.empty())
    out += section("mistakes", report.errors ? "Largest errors" : "Mistakes it is surest of",
                   mistakes_html(report));
  out += section("weights", report.data.empty() ? "Weights" : "Weights and gradients",
                 weights_section(report));
  out += section("layers", "Layers", layers_section(report));
  out += "<div class=\"columns\">\n" +
         section("cost", "Memory and time", facts_table(report.cost)) +
         section("training", "How it was trained", facts_table(report.facts)) + "</div>\n";
  return out + "</main>\n<footer class=\"quiet\">Written by Tenon " TENON_VERSION
               ".</footer>\n</body>\n</html>\n";
}

}  // namespace tenon::cli
