// The style sheet of a report.
#pragma once
#include <string_view>

namespace tenon::cli {

inline constexpr std::string_view kReportStyle = R"css(
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --text: #1d2430;
  --quiet: #5b6675; --rule: #dde2e9; --accent: #1f6fb4; --second: #c2540a; --bad: #c4314b;
  --grid: #e7eaef; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1b212a; --text: #e4e9f0;
  --quiet: #97a3b3; --rule: #313a47; --accent: #6cb2f0; --second: #f2a25f; --bad: #f0758b;
  --grid: #2a323d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header { max-width: 1120px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 20px 0 8px; }
p { margin: 0 0 12px; }
.quiet { color: var(--quiet); }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 18px 20px; margin: 16px 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px;
  margin: 16px 0; }
.tile { background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
  padding: 12px 16px; }
.tile b { display: block; font-size: 22px; line-height: 1.3; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.tile span { color: var(--quiet); font-size: 13px; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr));
  gap: 18px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--quiet); }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
tr:last-child > td, tr:last-child > th { border-bottom: 0; }
.number { text-align: right; }
.facts { width: 100%; }
.facts th { font-weight: 400; width: 45%; }
.facts td { overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; font-family: inherit; font-size: 12px; }
svg text { fill: var(--quiet); }
svg .name { font-size: 14px; fill: var(--text); }
.grid { stroke: var(--grid); }
.axis { stroke: var(--quiet); fill: none; }
.line { fill: none; stroke-width: 2; }
.train { stroke: var(--accent); }
.validation { stroke: var(--second); stroke-dasharray: 6 3; }
.dot { stroke: none; }
.dot.train { fill: var(--accent); }
.dot.validation { fill: var(--second); }
.legend { display: flex; gap: 18px; margin-bottom: 8px; }
.legend svg { width: 28px; height: 10px; display: inline-block; margin-right: 6px; }
.bar { fill: var(--accent); }
.bar.gradient { fill: var(--second); }
.diagonal { stroke: var(--quiet); stroke-dasharray: 4 4; }
.point { fill: var(--accent); fill-opacity: 0.55; }
.matrix th, .matrix td { border: 1px solid var(--rule); padding: 3px 6px; text-align: right;
  min-width: 42px; }
.matrix tr:last-child > td, .matrix tr:last-child > th { border-bottom: 1px solid var(--rule); }
.matrix thead th { vertical-align: bottom; text-align: left; }
.matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 130px;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.matrix tbody th { white-space: nowrap; max-width: 160px; overflow: hidden;
  text-overflow: ellipsis; text-align: right; }
.matrix td { background: color-mix(in srgb, var(--bad) var(--share), transparent); }
.matrix td.right { background: color-mix(in srgb, var(--accent) var(--share), transparent); }
.matrix td.none { color: var(--rule); }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px; }
.mistakes.wide { grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
figure { margin: 0; border: 1px solid var(--rule); border-radius: 8px; overflow: hidden;
  background: var(--page); }
figure img { display: block; width: 100%; image-rendering: pixelated; background: #808080; }
figcaption { padding: 8px 10px; font-size: 13px; line-height: 1.4; overflow-wrap: anywhere; }
figcaption b { font-weight: 600; }
.wrong { color: var(--bad); }
.sample { padding: 8px 10px 0; font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.weights { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(310px, 100%), 1fr));
  gap: 16px; }
.weight { border: 1px solid var(--rule); border-radius: 8px; padding: 10px 12px; }
.weight h3 { margin: 0; font-size: 14px; overflow-wrap: anywhere; }
.weight p { margin: 0 0 6px; font-size: 13px; }
footer { max-width: 1120px; margin: 0 auto; padding: 4px 20px 32px; font-size: 13px; }
@media (max-width: 480px) { main, header, footer { padding-left: 10px; padding-right: 10px; }
  section { padding: 14px 12px; } .facts th { width: 40%; } th, td { padding-right: 9px; }
  .classes td:first-child { overflow-wrap: anywhere; min-width: 7em; } }
@media print { body { background: none; } section { break-inside: avoid; } }
)css";

}  // namespace tenon::cli
