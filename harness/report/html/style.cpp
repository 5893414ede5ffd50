#include "harness/report/html/style.h"

namespace assay::html {

// Black on white, or white on black if the reader's system is dark. Red only repeats what a symbol and a word say. Heat maps keep
// a white background, since their shades carry the information.
const char* const kStyle = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #111; --soft: #555; --line: #ccc; --hair: #e4e4e4; --faint: #888;
        --wash: #f4f4f2; --alarm: #a01515; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181a; --ink: #e8e8e6; --soft: #a8a8a6; --line: #4a4d50; --hair: #303336; --faint: #7d8083; --wash: #23272a;
          --alarm: #ff8a80; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 52px; }
body { margin: 0; color: var(--ink); background: var(--paper);
       font: 14px/1.45 "Helvetica Neue", Arial, "Liberation Sans", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
main { margin: 0 auto; padding: 20px 36px 60px; max-width: 1240px; }
.contents { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 2px 20px; padding: 9px 36px;
            background: var(--paper); border-bottom: 1px solid var(--line); font-size: 13px; }
code { font: 0.92em/1.4 ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 15px; font-weight: normal; color: var(--soft); }
sup { font-size: 0.75em; line-height: 0; }
h2 { margin: 40px 0 10px; padding-top: 8px; border-top: 2px solid var(--ink); font-size: 19px; }
h3 { margin: 0; font-size: 16px; line-height: 1.4; }
h4 { margin: 18px 0 6px; font-size: 14px; }
h5 { margin: 0 0 6px; font-size: 13px; }
h5.tensor { margin: 22px 0 6px; font-size: 14px; }
p { margin: 6px 0; }
a { color: inherit; text-decoration-color: var(--faint); text-underline-offset: 2px; }
.ending { margin: 2px 0 14px; font-size: 34px; font-weight: bold; letter-spacing: 0.01em; line-height: 1.2; }
.ending.bad, .early { color: var(--alarm); }
.early { margin: -8px 0 14px; font-size: 16px; font-weight: bold; }
.soft, figcaption { color: var(--soft); }
.definitions { position: absolute; }
.mark { vertical-align: -2px; fill: currentColor; }
.line { fill: none; stroke: currentColor; stroke-width: 1.5; }
.paper { fill: none; stroke: var(--paper); stroke-width: 1.7; }
.tally { display: flex; flex-wrap: wrap; gap: 10px; margin: 0 0 18px; }
.tally div { min-width: 118px; padding: 8px 14px; border: 1px solid var(--line); }
.tally .alarm { border: 2px solid var(--ink); }
.tally b { display: block; font-size: 24px; line-height: 1.2; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 3px 18px; margin: 8px 0; }
dt { color: var(--soft); }
dd { margin: 0; }
.wide { max-width: 100%; overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { padding: 4px 10px; border-bottom: 1px solid var(--ink); text-align: left; font-weight: bold; vertical-align: bottom; }
td { padding: 3px 10px; border-bottom: 1px solid var(--hair); vertical-align: top; }
.numbers td:not(:first-child), .numbers th:not(:first-child) { text-align: right; }
.matrix td, .matrix th { padding: 2px 9px; text-align: right; white-space: nowrap; overflow-wrap: normal; }
.matrix td:nth-child(-n+3), .matrix th:nth-child(-n+3), .matrix .links { text-align: left; }
.matrix .bad { font-weight: bold; background: var(--wash); }
.none { color: var(--faint); }
.causes { width: 100%; table-layout: fixed; }
.causes th:nth-child(1), .causes td:nth-child(1) { width: 44px; padding-left: 0; }
.causes th { overflow-wrap: normal; }
.causes th:nth-child(2), .causes td:nth-child(2) { width: 90px; text-align: right; }
.causes th:nth-child(4) { width: 27%; }
.causes code { font-size: 12px; }
.skips td:first-child { text-align: right; }
.others { margin: 6px 0 0; padding-left: 0; list-style: none; font-size: 12.5px; }
.others li { padding: 3px 0; border-bottom: 1px solid var(--hair); }
.card { margin: 0 0 30px; padding: 14px 18px 16px; border: 1px solid var(--faint); border-top: 4px solid var(--ink); }
.card h3 a { display: inline-block; min-width: 26px; color: var(--soft); text-decoration: none; }
.outcome { text-transform: uppercase; letter-spacing: 0.04em; color: var(--alarm); }
.cause { margin: 10px 0; padding: 8px 14px; border-left: 4px solid var(--ink); background: var(--wash); font-size: 15px; }
.cause p:not(:first-child) { font-size: 13px; color: var(--soft); }
.charts { display: flex; flex-wrap: wrap; gap: 22px 30px; align-items: flex-start; margin-top: 14px; }
figure { margin: 12px 0 0; max-width: 100%; }
figcaption { margin-top: 4px; font-size: 12.5px; }
.charts table { font-size: 12.5px; }
.charts td, .charts th { padding: 2px 8px; }
.bar rect { fill: var(--soft); }
.bar rect.frame { fill: none; stroke: var(--line); }
.heat { display: block; max-width: 100%; height: auto; background: #fff; }
.heat text { font-size: 10px; fill: #333; font-family: inherit; }
.heat .edge { fill: none; stroke: #555; }
.heat .tick { stroke: #8a8a8a; stroke-width: 0.5; }
.heat .cells path { fill: none; stroke-width: 1; shape-rendering: crispEdges; }
.heat .joint { fill: none; stroke: #d02020; stroke-width: 2.5; stroke-dasharray: 5 3; }
.key.together { height: 0; border: 0; border-top: 3px dashed #d02020; vertical-align: 4px; }
.heat text.on-dark { fill: #fff; }
.key { display: inline-block; width: 13px; height: 13px; margin: 0 5px 0 14px; border: 1px solid #555; vertical-align: -2px; }
.around td, .around th { text-align: right; white-space: nowrap; font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.around td:first-child, .around th:first-child { text-align: left; font-family: inherit; font-weight: bold; }
.around .wrong { background: var(--wash); font-weight: bold; }
.around .worst { border-left: 2px solid var(--ink); border-right: 2px solid var(--ink); }
.codes { display: block; margin: 4px 0; border: 1px solid var(--faint); }
.codes path { fill: none; stroke: var(--ink); stroke-width: 12; shape-rendering: crispEdges; }
.power td, .power th { padding: 3px 8px; white-space: nowrap; overflow-wrap: normal; }
.power .number { text-align: right; }
details { margin-top: 8px; }
summary { cursor: pointer; font-weight: bold; }
details table { margin-top: 8px; font-size: 12.5px; }
@media (max-width: 800px) {
  main { padding: 14px 16px 40px; }
  .contents { padding: 7px 16px; }
  .card { padding: 10px 12px; }
  .tally div { min-width: 96px; padding: 6px 10px; }
  .causes th:nth-child(1), .causes td:nth-child(1) { width: 28px; }
  .causes th:nth-child(2), .causes td:nth-child(2) { width: 74px; }
  .causes th:nth-child(4) { width: 36%; }
  .causes code { font-size: 11px; }
  .matrix { font-size: 12px; }
  .matrix td, .matrix th { padding: 2px 4px; }
}
@media print {
  body { font-size: 11px; }
  main { padding: 0; max-width: none; }
  .contents { display: none; }
  .card, figure, .charts table { break-inside: avoid-page; }
  .card { break-inside: auto; }
  .wide { overflow-x: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)";

}  // namespace assay::html
