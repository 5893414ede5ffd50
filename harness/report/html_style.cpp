#include "harness/report/html_style.h"

namespace assay::html {

// Black on white; grey separates, red only repeats what a mark and a word say already.
const char* const kStyle = R"(
:root { --ink: #111; --soft: #555; --line: #ccc; --wash: #f4f4f2; --alarm: #a01515; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px 36px 60px; max-width: 1240px; color: var(--ink); background: #fff;
       font: 14px/1.45 "Helvetica Neue", Arial, "Liberation Sans", "DejaVu Sans", sans-serif; }
code { font: 0.92em/1.4 ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 15px; font-weight: normal; color: var(--soft); }
sup { font-size: 0.75em; line-height: 0; }
h2 { margin: 40px 0 10px; padding-top: 8px; border-top: 2px solid var(--ink); font-size: 19px; }
h3 { margin: 0; font-size: 16px; line-height: 1.4; }
h4 { margin: 22px 0 6px; font-size: 14px; }
h5 { margin: 0 0 6px; font-size: 13px; }
p { margin: 6px 0; }
a { color: inherit; text-decoration-color: #999; text-underline-offset: 2px; }
.ending { margin: 2px 0 14px; font-size: 34px; font-weight: bold; letter-spacing: 0.01em; line-height: 1.2; }
.ending.bad { color: var(--alarm); }
.soft, figcaption { color: var(--soft); }
.definitions { position: absolute; }
.mark { vertical-align: -2px; }
.line { fill: none; stroke: currentColor; stroke-width: 1.5; }
.paper { fill: none; stroke: #fff; stroke-width: 1.7; }
.tally { display: flex; gap: 10px; margin: 0 0 18px; }
.tally div { min-width: 118px; padding: 8px 14px; border: 1px solid var(--line); }
.tally .alarm { border: 2px solid var(--ink); }
.tally b { display: block; font-size: 24px; line-height: 1.2; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; margin: 8px 0; }
dt { color: var(--soft); }
dd { margin: 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { padding: 4px 10px; border-bottom: 1px solid var(--ink); text-align: left; font-weight: bold; vertical-align: bottom; }
td { padding: 3px 10px; border-bottom: 1px solid #e4e4e4; vertical-align: top; }
.numbers td:not(:first-child), .numbers th:not(:first-child) { text-align: right; }
.matrix td, .matrix th { text-align: right; white-space: nowrap; }
.matrix td:nth-child(-n+2), .matrix tr:last-child th:nth-child(-n+2) { text-align: left; }
.matrix .first { border-left: 1px solid var(--ink); }
.matrix .group { text-align: center; border-bottom: 1px solid var(--line); border-left: 1px solid var(--ink); }
.matrix .bad { font-weight: bold; background: var(--wash); }
.idle, .none { color: #888; }
.causes td:first-child, .causes td:last-child { width: 1%; }
.causes td:last-child { white-space: nowrap; }
.causes code { font-size: 12px; overflow-wrap: normal; }
.others { padding-left: 0; list-style: none; font-size: 12.5px; }
.others li { padding: 3px 0; border-bottom: 1px solid #e4e4e4; }
.failure { margin: 0 0 34px; padding: 14px 18px 18px; border: 1px solid #888; border-top: 4px solid var(--ink); }
.failure > h3 .outcome { text-transform: uppercase; letter-spacing: 0.04em; color: var(--alarm); }
.cause { margin: 10px 0; padding: 8px 14px; border-left: 4px solid var(--ink); background: var(--wash); font-size: 15px; }
.charts { display: flex; flex-wrap: wrap; gap: 22px 30px; align-items: flex-start; margin-top: 14px; }
figure { margin: 12px 0 0; }
figcaption { margin-top: 4px; font-size: 12.5px; }
.charts table { font-size: 12.5px; }
.charts td, .charts th { padding: 2px 8px; }
.bar rect { fill: #333; }
.bar rect.frame { fill: none; stroke: #bbb; }
.heat { display: block; max-width: 100%; height: auto; }
.heat text { font-size: 10px; fill: #333; font-family: inherit; }
.heat .edge { fill: none; stroke: #555; }
.heat .tick { stroke: #8a8a8a; stroke-width: 0.5; }
.heat .cells path { fill: none; stroke-width: 1; shape-rendering: crispEdges; }
.heat text.on-dark { fill: #fff; }
.key { display: inline-block; width: 13px; height: 13px; margin: 0 5px 0 14px; border: 1px solid #555; vertical-align: -2px; }
.around td, .around th { text-align: right; white-space: nowrap; font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.around td:first-child, .around th:first-child { text-align: left; font-family: inherit; font-weight: bold; }
.around .wrong { background: #e2e2e0; font-weight: bold; }
.around .worst { border-left: 2px solid var(--ink); border-right: 2px solid var(--ink); }
.codes { display: block; margin: 4px 0; border: 1px solid #999; }
.codes path { fill: none; stroke: #111; stroke-width: 12; shape-rendering: crispEdges; }
.power td, .power th { padding: 3px 8px; white-space: nowrap; }
.power .number { text-align: right; }
summary { cursor: pointer; font-weight: bold; }
details > table { margin-top: 8px; font-size: 12.5px; }
@media print {
  body { padding: 0; max-width: none; font-size: 11px; }
  .failure, figure, .charts table { break-inside: avoid-page; }
  .failure { break-inside: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)";

}  // namespace assay::html
