#include "harness/report/html_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/report/escape.h"

namespace assay::html {

std::string mark_definitions() {
  return R"(<svg width="0" height="0" class="definitions"><defs>
<symbol id="mark-pass" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M4 7.2l2.2 2.3L10.2 5" class="line"/></symbol>
<symbol id="mark-fail" viewBox="0 0 14 14"><rect width="14" height="14"/><path d="M4 4l6 6M10 4l-6 6" class="paper"/></symbol>
<symbol id="mark-skip" viewBox="0 0 14 14"><path d="M2 7h10" class="line"/></symbol>
<symbol id="mark-untrusted" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M7 1a6 6 0 0 1 0 12z"/></symbol>
<symbol id="mark-broken" viewBox="0 0 14 14"><path d="M7 0l7 14H0z"/><path d="M7 5v4M7 10.5v1.7" class="paper"/></symbol>
<symbol id="mark-unjudged" viewBox="0 0 14 14"><circle cx="7" cy="7" r="6" class="line"/><path d="M4 7h6" class="line"/></symbol>
</defs></svg>
)";
}

std::string mark(Outcome outcome) {
  return fmt::format(
      "<svg class=\"mark\" width=\"14\" height=\"14\" role=\"img\" aria-label=\"{0}\"><use href=\"#mark-{0}\"/></svg>",
      name(outcome));
}

std::string bar(double share) {
  constexpr double kWidth = 100;
  return fmt::format(
      "<svg class=\"bar\" width=\"{0}\" height=\"10\"><rect width=\"{0}\" height=\"10\" class=\"frame\"/><rect "
      "width=\"{1:.4g}\" height=\"10\"/></svg>",
      kWidth, share > 0 ? std::max(1.0, share * kWidth) : 0);
}

std::string percent(int64_t count, int64_t of) {
  if (count == 0 || of == 0) return "0 %";
  if (count == of) return "100 %";
  const double share = 100.0 * double(count) / double(of);
  if (share < 0.01) return "&lt; 0.01 %";
  if (share > 99.9) return "&gt; 99.9 %";
  return fmt::format("{:.3g} %", share);
}

std::string code(const std::string& text) { return "<code>" + xml_escaped(text) + "</code>"; }

std::string soft(const std::string& markup) { return "<span class=\"soft\">" + markup + "</span>"; }

std::string wide(const std::string& markup) { return markup.empty() ? "" : "<div class=\"wide\">\n" + markup + "</div>\n"; }

std::string cause_link(size_t number, const std::string& markup) {
  return fmt::format("<a href=\"#c{}\">{}</a>", number + 1, markup);
}

std::string table(const std::string& css_class, const std::vector<std::vector<std::string>>& rows) {
  if (rows.size() < 2) return "";
  std::string text = fmt::format("<table class=\"{}\">\n", css_class);
  for (const auto& row : rows) {
    const bool head = &row == &rows.front();
    text += head ? "<thead><tr>" : "<tr>";
    for (const std::string& cell : row) text += fmt::format("<{0}>{1}</{0}>", head ? "th" : "td", cell);
    text += head ? "</tr></thead><tbody>\n" : "</tr>\n";
  }
  return text + "</tbody></table>\n";
}

}  // namespace assay::html
