#include "harness/report/html/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <map>
#include <sstream>
#include <string_view>

#include "harness/text/messages.h"

namespace assay::html {
namespace {

constexpr char kMarks[] = R"(<svg width="0" height="0" class="definitions"><defs>
<symbol id="mark-pass" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M4 7.2l2.2 2.3L10.2 5" class="line"/></symbol>
<symbol id="mark-fail" viewBox="0 0 14 14"><rect width="14" height="14"/><path d="M4 4l6 6M10 4l-6 6" class="paper"/></symbol>
<symbol id="mark-skip" viewBox="0 0 14 14"><path d="M2 7h10" class="line"/></symbol>
<symbol id="mark-untrusted" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M7 1a6 6 0 0 1 0 12z"/></symbol>
<symbol id="mark-broken" viewBox="0 0 14 14"><path d="M7 0l7 14H0z"/><path d="M7 5v4M7 10.5v1.7" class="paper"/></symbol>
<symbol id="mark-flaky" viewBox="0 0 14 14"><rect width="14" height="14"/><path d="M2 7l3-4 4 8 3-4" class="paper"/></symbol>
<symbol id="mark-unjudged" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M4 7h6" class="line"/></symbol>
</defs></svg>
)";

void append_text(Node node, const std::string& text) { node.append_child(pugi::node_pcdata).set_value(text.c_str()); }

/// An HTML parser reads "<td/>" as an opening tag; an empty text node makes it "<td></td>".
void keep_end_tags(Node node) {
  for (Node inner : node.children()) {
    const std::string_view name = inner.name();
    if (inner.type() != pugi::node_element || name == "svg" || name == "br" || name == "meta" || name == "input") continue;
    if (inner.first_child().empty()) append_text(inner, "");
    keep_end_tags(inner);
  }
}

}  // namespace

Node child(Node parent, const char* name, const std::string& css_class) {
  const Node made = parent.append_child(name);
  return css_class.empty() ? made : set(made, "class", css_class);
}

Node line(Node parent, const char* name, const std::string& css_class) {
  const Node made = child(parent, name, css_class);
  append_text(parent, "\n");
  return made;
}

Node set(Node node, const char* attribute, const std::string& value) {
  node.append_attribute(attribute).set_value(value.c_str());
  return node;
}

Node write(Node node, const std::string& text) {
  if (!text.empty()) append_text(node, printable_lines(text));
  return node;
}

Node write_powers(Node node, const std::string& text) {
  size_t begin = 0;
  for (size_t hat = text.find('^'); hat != std::string::npos; hat = text.find('^', begin)) {
    size_t end = hat + 1 + (text[hat + 1] == '-' ? 1 : 0);
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    write(node, text.substr(begin, hat - begin));
    write(child(node, "sup"), text.substr(hat + 1, end - hat - 1));
    begin = end;
  }
  return write(node, text.substr(begin));
}

void code(Node parent, const std::string& text) { write(child(parent, "code"), text); }

void soft(Node parent, const std::string& text) { write(child(parent, "span", "soft"), text); }

Node explained(Node node, const std::string& word) {
  // Short forms of the entries in docs/glossary.md.
  static const std::map<std::string_view, std::string_view> meanings = {
      {"passed",
       "every element is accepted, and the inputs could have exposed every mutant that the case does not list in blind_to"},
      {"failed", "an element is outside its accepted interval, padding is wrong, or elements contradict each other"},
      {"not run", "the kernel refused the call and gave a reason; this is no failure"},
      {"not offered", "the library has no kernel for the case; this is no failure"},
      {"broken", "the kernel crashed, hung, wrote outside a buffer or into an input, or left an output unwritten"},
      {"untrusted",
       "the output is right, but these inputs could not have exposed some mistakes that the case does not list in blind_to"},
      {"not judged", "the harness could not decide; this never counts as a pass"},
      {"flaky", "calls with the same inputs gave different bits, or one failed and another passed"},
      {"cause", "the change of the contract that explains the wrong elements"},
      {"contract", "a table row that defines, bit by bit, what one implementation of the op returns"},
      {"kernel", "the kernel under test, and the library that it belongs to"},
      {"tensor", "an output: name, shape, format, and how many elements are wrong"},
      {"first", "the first wrong element: what the kernel stored, and what is accepted"},
      {"worst", "the element that is furthest outside its accepted interval"},
      {"accepted",
       "why some elements accept more than one code: the order of a sum is open, or a function has a documented error"},
      {"where", "rows, columns and tiles that hold wrong elements"},
      {"padding", "elements of the storage that belong to no row or group"},
      {"note", "a fact about the wrong elements"},
      {"message", "why the case is broken, untrusted, skipped or not judged"},
      {"program", "the algorithm variant that computed the output, such as split-K 2"},
      {"causes sought", "the rows of a large tensor that were searched for a cause; the verdict covers all elements"},
      {"listed", "the row of the known-failures list that covers this verdict"},
      {"row", "file and line of the case, and what the case is for"},
      {"repro", "the command that repeats this case"},
      {"data", "the mutation score of the inputs: how many mutants of the contract they expose"},
      {"warp", "32 or 64 lanes that run in lock step"},
      {"distance",
       "distance from the nearest accepted code, counted in codes: -1 ulp means the next smaller number of the format"},
      {"budget use",
       "where an output lies in its accepted interval: 0 is the middle, and 1 the edge. pinned: every element accepts exactly "
       "one code"},
      {"faults seen", "number of mutants of the contract that these inputs expose"}};
  if (const auto found = meanings.find(word); found != meanings.end()) set(node, "title", std::string(found->second));
  return node;
}

void mark_definitions(Node body) { body.append_buffer(kMarks, std::strlen(kMarks)); }

void mark(Node parent, Outcome outcome) {
  const Node svg = set(set(child(parent, "svg", "mark"), "width", "14"), "height", "14");
  set(set(svg, "role", "img"), "aria-label", name(outcome));
  set(child(svg, "use"), "href", fmt::format("#mark-{}", name(outcome)));
}

void bar(Node parent, double share) {
  constexpr double kWidth = 100;
  const auto sized = [](Node node, double width) {
    return set(set(node, "width", fmt::format("{:.4g}", width)), "height", "10");
  };
  const Node svg = sized(child(parent, "svg", "bar"), kWidth);
  sized(child(svg, "rect", "frame"), kWidth);
  sized(child(svg, "rect"), share > 0 ? std::max(1.0, share * kWidth) : 0);
}

std::string percent(int64_t count, int64_t of) {
  if (count == 0 || of == 0) return "0 %";
  if (count == of) return "100 %";
  const double share = 100.0 * double(count) / double(of);
  if (share < 0.01) return "< 0.01 %";
  if (share > 99.9) return "> 99.9 %";
  return fmt::format("{:.3g} %", share);
}

Node wide(Node parent) { return line(parent, "div", "wide"); }

Node cause_link(Node parent, size_t number) { return set(child(parent, "a"), "href", fmt::format("#c{}", number + 1)); }

Node table(Node parent, const std::string& css_class, const std::vector<std::string>& head) {
  const Node made = line(parent, "table", css_class), names = child(child(made, "thead"), "tr");
  for (const std::string& name : head) write(explained(child(names, "th"), name), name);
  const Node body = child(made, "tbody");
  append_text(body, "\n");
  return body;
}

Node cell(Node row, const std::string& css_class) { return child(row, "td", css_class); }

Folded folded(Node parent) {
  const Node details = line(parent, "details");
  return {line(details, "summary"), details};
}

Node begin_page(pugi::xml_document& document, const std::string& title, const std::string& style) {
  document.append_child(pugi::node_doctype).set_value("html");
  const Node html = set(document.append_child("html"), "lang", "en"), head = child(html, "head");
  set(line(head, "meta"), "charset", "utf-8");
  set(set(line(head, "meta"), "name", "viewport"), "content", "width=device-width");
  set(set(line(head, "meta"), "name", "color-scheme"), "content", "light dark");
  write(line(head, "title"), title);
  write(line(head, "style"), kStyle + style);
  const Node body = line(html, "body");
  mark_definitions(body);
  return body;
}

std::string source_of(pugi::xml_document& document) {
  keep_end_tags(document);
  std::ostringstream text;
  document.save(text, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return text.str();
}

// Black on white, or white on black if the reader's system is dark. Red only repeats what a symbol and a word say. Heat maps keep
// a white background, because their shades are the data.
const char* const kStyle = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #111; --soft: #555; --line: #ccc; --hair: #e4e4e4; --faint: #888;
        --wash: #f4f4f2; --alarm: #a01515; --good: #1c6b2c; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181a; --ink: #e8e8e6; --soft: #a8a8a6; --line: #4a4d50; --hair: #303336; --faint: #7d8083; --wash: #23272a;
          --alarm: #ff8a80; --good: #7fcf8f; }
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
.facts { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 0 0 16px; }
.facts div { max-width: 100%; }
.facts dt { font-size: 12px; }
.words { margin: 12px 0 0; }
.words summary { font-weight: normal; color: var(--soft); }
#only-failures { position: fixed; opacity: 0; }
#only-failures:focus-visible ~ nav .only { outline: 2px solid var(--ink); }
.only { order: 9; margin-left: auto; padding: 0 8px; border: 1px solid var(--line); cursor: pointer; }
#only-failures:checked ~ nav .only { color: var(--paper); background: var(--ink); }
#only-failures:checked ~ main .passing { display: none; }
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
.matrix td, .matrix th { padding: 2px 9px; text-align: right; overflow-wrap: normal; }
.matrix td:nth-child(-n+2), .matrix th:nth-child(-n+2), .matrix .links { text-align: left; }
.matrix td:first-child, .matrix .links { overflow-wrap: anywhere; }
.matrix th, .matrix td:nth-child(2) { white-space: nowrap; }
.vendors { font-size: 12px; }
.vendors td, .vendors th { padding: 2px 4px; text-align: right; }
.vendors td:first-child, .vendors th:first-child { padding-left: 0; text-align: left; }
.vendors th:not(:first-child) { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; padding: 4px 2px; }
.vendors td:not(:first-child) { white-space: nowrap; }
.vendors td:first-child, .vendors th { overflow-wrap: normal; }
.vendors .bad { font-weight: bold; color: var(--alarm); background: var(--wash); }
.vendors.lines thead { display: none; }
.vendors.lines, .vendors.lines tbody, .vendors.lines tr { display: block; }
.vendors.lines tr { padding: 4px 0; border-bottom: 1px solid var(--hair); }
.vendors.lines td { display: inline-block; padding: 1px 12px 1px 0; border: 0; text-align: left; }
.vendors.lines td:first-child { display: block; font-weight: bold; }
.vendors.lines td.none { display: none; }
.vendors.lines td:not(:first-child)::before { content: attr(data-vendor) " "; color: var(--soft); }
.contract-text { margin: 10px 0; }
.contract-text pre { margin: 4px 0; padding: 6px 14px; white-space: pre-wrap; border-left: 4px solid var(--line);
                     font: 12.5px/1.5 ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, Consolas, monospace; }
.changed del { color: var(--alarm); }
.changed ins { font-weight: bold; text-decoration: underline; background: var(--wash); }
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
@media (prefers-color-scheme: dark) { .heat, .key { filter: invert(1) hue-rotate(180deg); } }
.key { display: inline-block; width: 13px; height: 13px; margin: 0 5px 0 14px; border: 1px solid #555; vertical-align: -2px; }
.around td, .around th { text-align: right; white-space: nowrap; font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
.around td:first-child, .around th:first-child { text-align: left; font-family: inherit; font-weight: bold; }
.around .wrong { background: var(--wash); font-weight: bold; }
.around .worst { border-left: 2px solid var(--ink); border-right: 2px solid var(--ink); }
.codes { display: block; margin: 4px 0; border: 1px solid var(--faint); }
.codes path { fill: none; stroke: var(--ink); stroke-width: 12; shape-rendering: crispEdges; }
.power td, .power th { padding: 3px 8px; overflow-wrap: normal; }
.power .contract, .power code { overflow-wrap: anywhere; }
.power .number { text-align: right; white-space: nowrap; }
.power .visited { min-width: 60px; }
.codes { width: 100%; max-width: 258px; }
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
  .matrix td, .matrix th { padding: 2px 4px; white-space: normal; }
  .only { margin-left: 0; }
  .heat text { font-size: 15px; }
  .passes, .power, .elements, .around { font-size: 11.5px; }
  .passes td, .passes th, .power td, .power th, .elements td, .elements th { padding: 2px 4px; }
  .power .visited svg { display: none; }
  .around td, .around th { padding: 2px 3px; font-size: 10.5px; white-space: normal; }
  .vendors thead { display: none; }
  .vendors, .vendors tbody, .vendors tr { display: block; }
  .vendors tr { padding: 4px 0; border-bottom: 1px solid var(--hair); }
  .vendors td { display: inline-block; padding: 1px 12px 1px 0; border: 0; text-align: left; }
  .vendors td:first-child { display: block; font-weight: bold; }
  .vendors td.none { display: none; }
  .vendors td:not(:first-child)::before { content: attr(data-vendor) " "; color: var(--soft); }
}
@media print {
  body { font-size: 11px; }
  main { padding: 0; max-width: none; }
  .contents { display: none; }
  .card, figure, .charts table { break-inside: avoid-page; }
  .card { break-inside: auto; }
  .wide { overflow-x: visible; }
  .only, .words { display: none; }
  h2 { break-after: avoid; }
  tr { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)";

}  // namespace assay::html
