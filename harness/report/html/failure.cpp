#include "harness/report/html/failure.h"

#include <fmt/format.h>

#include "harness/report/charts.h"
#include "harness/report/heat_map.h"
#include "harness/report/where.h"
#include "harness/report/words.h"

namespace assay::html {
namespace {

/// Appends an entry to a definition list; returns the node for its text.
Node fact(Node list, const char* name) {
  write(child(list, "dt"), name);
  return line(list, "dd");
}

/// Appends nothing if the text is empty.
void fact(Node list, const char* name, const std::string& text) {
  if (!text.empty()) write(fact(list, name), text);
}

void element_row(Node body, const TensorFinding& f, const char* label, const Element& e) {
  const Node row = line(body, "tr");
  write(cell(row), label);
  for (const std::string& text : {f.name + shape_text(e.at), code_text(f.format, e.code, e.value), accepted_text(f.format, e)})
    code(cell(row), text);
  write(cell(row), distance_text(f.format, e));
}

void elements(Node card, const TensorFinding& f) {
  const Node body = table(wide(card), "elements", {"", "element", "got", "accepted", "distance"});
  element_row(body, f, "first", f.first);
  if (f.worst.at != f.first.at) element_row(body, f, "worst", f.worst);
}

void tensor_head(Node card, const TensorFinding& f) {
  std::string text;
  if (f.outside > 0) {
    text = fmt::format("{} of {} elements outside their accepted set ({}){}", f.outside, f.elements,
                       percent(f.outside, f.elements), direction_text(f));
  } else {
    text = fmt::format("{} elements agree{}", f.elements, f.agrees() ? "" : ", but not the padding");
  }
  if (f.budget_use > 0) text += fmt::format(", largest budget use {:.3g}", f.budget_use);
  if (f.unjudged > 0) text += fmt::format(", {} unjudged", f.unjudged);
  const Node head = line(card, "h5", "tensor");
  code(head, fmt::format("{} {} {}", f.name, shape_text(f.shape), f.format));
  write(head, ": " + text);
}

void tensor_facts(Node list, const TensorFinding& f) {
  if (f.outside > 0) {
    fact(list, "accepted", f.reason);
    for (const std::string& place : where_lines(f)) fact(list, "where", place);
  }
  if (f.padding_wrong > 0)
    fact(list, "padding", fmt::format("{} elements wrong, first {}{}", f.padding_wrong, f.name, f.padding_first));
  for (const std::string& note : f.notes) fact(list, "note", note);
}

void tensor(Node card, const TensorFinding& f) {
  tensor_head(card, f);
  if (f.outside > 0) elements(card, f);
  const Node facts = line(card, "dl");
  tensor_facts(facts, f);
  if (facts.first_child().empty()) card.remove_child(facts);
  if (!f.picture) return;
  heat_map(card, f);
  const Node charts = line(card, "div", "charts");
  distance_chart(charts, f);
  magnitude_chart(charts, f);
  budget_chart(charts, f);
  neighbours_table(card, f);
}

void power(Node list, const Power& p) {
  if (p.faults == 0) return;
  const Node data = fact(list, "data");
  write(data, fmt::format("kills {} of {} mutants", p.seen(), p.faults));
  for (const std::string& fault : p.blind_to) code(write(data, &fault == &p.blind_to.front() ? "; blind to " : ", "), fault);
  for (const DataPower& one : p.data) {
    child(data, "br");
    write(data, data_text(one));
  }
}

}  // namespace

void failure(Node card, const Verdict& v, const std::string& title) {
  const Node head = line(card, "h4", "case");
  mark(head, v.outcome);
  write(child(write(head, " "), "span", "outcome"), name(v.outcome));
  code(write(head, as_expected(v) ? " (as expected) " : " "), title);
  const Node kernel = line(card, "p");
  code(write(kernel, "kernel "), v.kernel);
  code(write(kernel, " of back end "), v.backend);
  if (!v.causes.empty()) {
    const Node causes = line(card, "div", "cause");
    for (const std::string& cause : v.causes) write(child(causes, "p"), cause);
  }
  const Node facts = line(card, "dl");
  fact(facts, "message", v.message);
  fact(facts, "program", program_text(v));
  fact(facts, "causes sought", v.looked_at);
  fact(facts, "ledger", v.deviation);
  const Node row = fact(facts, "row");
  code(row, v.origin);
  write(row, " " + v.why);
  code(fact(facts, "repro"), v.repro);
  power(facts, v.power);
  for (const TensorFinding& finding : v.tensors) tensor(card, finding);
}

}  // namespace assay::html
