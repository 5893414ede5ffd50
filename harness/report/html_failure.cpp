#include "harness/report/html_failure.h"

#include <fmt/format.h>

#include <vector>

#include "harness/report/charts.h"
#include "harness/report/escape.h"
#include "harness/report/heat_map.h"
#include "harness/report/html_parts.h"
#include "harness/report/where.h"
#include "harness/report/words.h"

namespace assay::html {
namespace {

/// A line of a definition list; nothing for what is not known.
std::string fact(const char* name, const std::string& markup) {
  return markup.empty() ? "" : fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, markup);
}

std::vector<std::string> element_row(const TensorFinding& f, const char* label, const Element& e) {
  return {label, code(f.name + shape_text(e.at)), code(code_text(f.format, e.code, e.value)), code(accepted_text(f.format, e)),
          xml_escaped(distance_text(f.format, e))};
}

std::string elements(const TensorFinding& f) {
  std::vector<std::vector<std::string>> rows = {{"", "element", "got", "accepted", "distance"}, element_row(f, "first", f.first)};
  if (f.worst.at != f.first.at) rows.push_back(element_row(f, "worst", f.worst));
  return wide(table("elements", rows));
}

std::string tensor_head(const TensorFinding& f) {
  std::string text;
  if (f.outside > 0) {
    text = fmt::format("{} of {} elements outside their accepted set ({}){}", f.outside, f.elements,
                       percent(f.outside, f.elements), direction_text(f));
  } else {
    text = fmt::format("{} elements agree{}", f.elements, f.agrees() ? "" : ", but not the padding");
  }
  if (f.budget_use > 0) text += fmt::format(", largest budget use {:.3g}", f.budget_use);
  if (f.unjudged > 0) text += fmt::format(", {} unjudged", f.unjudged);
  return fmt::format("<h5 class=\"tensor\">{}: {}</h5>\n", code(fmt::format("{} {} {}", f.name, shape_text(f.shape), f.format)),
                     text);
}

std::string tensor(const TensorFinding& f) {
  std::string text = tensor_head(f), facts;
  if (f.outside > 0) {
    text += elements(f);
    facts += fact("accepted", xml_escaped(f.reason));
    for (const std::string& place : where_lines(f)) facts += fact("where", xml_escaped(place));
  }
  if (f.padding_wrong > 0)
    facts += fact("padding", xml_escaped(fmt::format("{} elements wrong, first {}{}", f.padding_wrong, f.name, f.padding_first)));
  for (const std::string& note : f.notes) facts += fact("note", xml_escaped(note));
  if (!facts.empty()) text += "<dl>" + facts + "</dl>\n";
  if (!f.picture) return text;
  return text + heat_map(f) + "<div class=\"charts\">\n" + distance_chart(f) + magnitude_chart(f) + budget_chart(f) + "</div>\n" +
         wide(neighbours_table(f));
}

std::string power(const Power& p) {
  if (p.faults == 0) return "";
  std::string text = fmt::format("sees {} of {} single-step faults", p.seen(), p.faults);
  for (const std::string& fault : p.blind_to) text += (&fault == &p.blind_to.front() ? "; blind to " : ", ") + code(fault);
  for (const DataPower& data : p.data) text += "<br/>" + xml_escaped(data_text(data));
  return text;
}

}  // namespace

std::string failure_body(const Verdict& v, const std::string& title) {
  std::string text = fmt::format("<h4 class=\"case\">{} <span class=\"outcome\">{}</span>{} {}</h4>\n", mark(v.outcome),
                                 name(v.outcome), as_expected(v) ? " (as expected)" : "", code(title));
  text += fmt::format("<p>kernel {} of back end {}</p>\n", code(v.kernel), code(v.backend));
  if (!v.causes.empty()) {
    text += "<div class=\"cause\">";
    for (const std::string& cause : v.causes) text += "<p>" + xml_escaped(cause) + "</p>";
    text += "</div>\n";
  }
  text += "<dl>\n" + fact("message", xml_escaped(v.message)) + fact("program", xml_escaped(v.program)) +
          fact("causes sought", xml_escaped(v.looked_at)) + fact("ledger", xml_escaped(v.deviation)) +
          fact("row", code(v.origin) + " " + xml_escaped(v.why)) + fact("repro", code(v.repro)) + fact("data", power(v.power)) +
          "</dl>\n";
  for (const TensorFinding& finding : v.tensors) text += tensor(finding);
  return text;
}

}  // namespace assay::html
