#include "harness/report/html/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <sstream>
#include <string_view>

#include "harness/text/printable.h"

namespace assay::html {
namespace {

constexpr char kMarks[] = R"(<svg width="0" height="0" class="definitions"><defs>
<symbol id="mark-pass" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M4 7.2l2.2 2.3L10.2 5" class="line"/></symbol>
<symbol id="mark-fail" viewBox="0 0 14 14"><rect width="14" height="14"/><path d="M4 4l6 6M10 4l-6 6" class="paper"/></symbol>
<symbol id="mark-skip" viewBox="0 0 14 14"><path d="M2 7h10" class="line"/></symbol>
<symbol id="mark-untrusted" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M7 1a6 6 0 0 1 0 12z"/></symbol>
<symbol id="mark-broken" viewBox="0 0 14 14"><path d="M7 0l7 14H0z"/><path d="M7 5v4M7 10.5v1.7" class="paper"/></symbol>
<symbol id="mark-unjudged" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M4 7h6" class="line"/></symbol>
</defs></svg>
)";

void append_text(Node node, const std::string& text) { node.append_child(pugi::node_pcdata).set_value(text.c_str()); }

/// An HTML parser reads "<td/>" as an opening tag; an empty text node makes it "<td></td>".
void keep_end_tags(Node node) {
  for (Node inner : node.children()) {
    const std::string_view name = inner.name();
    if (inner.type() != pugi::node_element || name == "svg" || name == "br" || name == "meta") continue;
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
  for (const std::string& name : head) write(child(names, "th"), name);
  const Node body = child(made, "tbody");
  append_text(body, "\n");
  return body;
}

Node cell(Node row, const std::string& css_class) { return child(row, "td", css_class); }

Folded folded(Node parent) {
  const Node details = line(parent, "details");
  return {line(details, "summary"), details};
}

std::string source_of(pugi::xml_document& document) {
  keep_end_tags(document);
  std::ostringstream text;
  document.save(text, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return text.str();
}

}  // namespace assay::html
