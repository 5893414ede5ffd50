#include <fmt/format.h>

#include <cstdlib>
#include <map>

#include "harness/report/causes.h"
#include "harness/report/html/parts.h"
#include "harness/report/verdict_text.h"

namespace assay::html {
namespace {

/// Appends an entry to a definition list; returns the node for its text.
Node fact(Node list, const char* name) {
  write(explained(child(list, "dt"), name), name);
  return line(list, "dd");
}

/// Appends nothing if the text is empty.
void fact(Node list, const char* name, const std::string& text) {
  if (!text.empty()) write(fact(list, name), text);
}

void element_row(Node body, const TensorFinding& f, const char* label, const Element& e) {
  const Node row = line(body, "tr");
  write(explained(cell(row), label), label);
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
    text = fmt::format("{} of {} elements are wrong: outside their accepted set ({}){}", f.outside, f.elements,
                       percent(f.outside, f.elements), direction_text(f));
  } else {
    text = fmt::format("all {} elements are accepted{}", f.elements, f.agrees() ? "" : ", but the padding is wrong");
  }
  if (f.budget_use > 0 && f.outside == 0) text += fmt::format(", largest budget use {:.3g}", f.budget_use);
  if (f.unjudged > 0) text += fmt::format(", {} unjudged", f.unjudged);
  const Node head = explained(line(card, "h5", "tensor"), "tensor");
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
  if (f.outside == f.elements)
    write(line(card, "p"), "Every element is wrong.");
  else
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
  write(data, fmt::format("these inputs expose {} of {} mutants (wrong variants of the contract)", p.seen(), p.faults));
  for (const std::string& fault : p.blind_to) code(write(data, &fault == &p.blind_to.front() ? "; not " : ", "), fault);
  for (const DataPower& one : p.data) {
    child(data, "br");
    write(data, data_text(one));
  }
}

}  // namespace

namespace {

/// Writes a recipe and marks the step that a cause changes: "div(s) -> mul(1/s)" replaces it, "drop to(x)" removes it, "to(x)
/// after mul(r)" adds a step. Returns false if the cause is no such change of this recipe.
bool changed_recipe(Node parent, const std::string& recipe, const std::string& change) {
  std::string gone, added;
  size_t at = std::string::npos;
  if (const size_t arrow = change.find(" -> "); arrow != std::string::npos) {
    gone = change.substr(0, arrow), added = change.substr(arrow + 4);
    at = recipe.find(gone);
  } else if (change.starts_with("drop ")) {
    gone = change.substr(5, change.find('#') - 5);
    const size_t number = change.find('#');
    int64_t which = number == std::string::npos ? 0 : std::atoll(change.c_str() + number + 1);
    for (at = recipe.find(gone); which > 0 && at != std::string::npos; --which) at = recipe.find(gone, at + 1);
  } else if (const size_t after = change.find(" after "); after != std::string::npos) {
    added = change.substr(0, after);
    const std::string before = change.substr(after + 7);
    at = recipe.find(before);
    if (at != std::string::npos) at += before.size();
  }
  if (at == std::string::npos || (gone.empty() && added.empty())) return false;
  const Node line = child(parent, "code");
  write(line, recipe.substr(0, at) + (gone.empty() ? " " : ""));
  if (!gone.empty()) write(child(line, "del"), gone);
  if (!gone.empty() && !added.empty()) write(line, " ");
  if (!added.empty()) write(child(line, "ins"), added);
  write(line, recipe.substr(at + gone.size()));
  return true;
}

/// The contract's formulas, and the recipe that the first cause changes.
void contract_block(Node card, const Verdict& v, const ContractText& contract) {
  if (contract.formulas.empty()) return;
  Node block = line(card, "div", "contract-text");
  code(write(line(block, "p"), "contract "), v.contract);
  std::string formulas;
  for (const std::string& formula : contract.formulas) formulas += (formulas.empty() ? "" : "\n") + formula;
  write(line(block, "pre"), formulas);
  const std::string mistake = first_mistake(v);
  const size_t colon = mistake.find(": ");
  const auto cell = contract.cells.find(mistake.substr(0, colon));
  if (colon == std::string::npos || cell == contract.cells.end()) return;
  const Node changed = child(block, "p", "changed");
  write(changed, "the kernel computes " + cell->first + " = ");
  if (!changed_recipe(changed, cell->second, mistake.substr(colon + 2))) block.remove_child(changed);
}

}  // namespace

void failure(Node card, const Verdict& v, const std::string& title, const ContractText* contract) {
  const Node head = line(card, "h4", "case");
  mark(head, v.outcome);
  write(explained(child(write(head, " "), "span", "outcome"), name(standing_of(v))), name(v.outcome));
  code(write(head, as_expected(v) ? " (as expected) " : " "), title);
  const Node kernel = line(card, "p");
  code(write(explained(kernel, "kernel"), "kernel "), v.kernel);
  code(write(kernel, " of library "), v.backend);
  if (!v.causes.empty()) {
    const Node causes = explained(line(card, "div", "cause"), "cause");
    for (const std::string& cause : v.causes) write(child(causes, "p"), cause);
  }
  if (const std::string next = next_step(v); !next.empty()) code(write(line(card, "p", "next"), "Next: "), next);
  if (contract != nullptr) contract_block(card, v, *contract);
  const Node facts = line(card, "dl");
  fact(facts, "message", v.message);
  fact(facts, "program", program_text(v));
  fact(facts, "causes sought", v.looked_at);
  fact(facts, "listed", v.deviation);
  const Node row = fact(facts, "row");
  code(row, v.origin);
  write(row, " " + v.why);
  code(fact(facts, "repro"), v.repro);
  power(facts, v.power);
  for (const TensorFinding& finding : v.tensors) tensor(card, finding);
}

namespace {

std::string counted(int64_t count, const char* what) { return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"); }

void kernels(Node parent, const FailureGroup& group) {
  constexpr int64_t kMost = 4;
  int64_t named = 0;
  for (const std::string& kernel : group.kernels) {
    if (named == kMost) {
      write(parent, fmt::format(" and {} more", int64_t(group.kernels.size()) - kMost));
      return;
    }
    code(write(parent, named++ == 0 ? "" : ", "), kernel);
  }
}

std::string title(const RunResult& result, const FailureGroup& group) {
  return group.cause.empty() ? headline(result.verdicts[group.first()]) : group.cause;
}

/// One failure as a line: the case, what is wrong, and its cause if its text differs (in numbers) from the cause of the card.
void failure_line(Node list, const RunResult& result, const FailureGroup& group, const Twins& twins) {
  const Verdict& v = result.verdicts[twins.places.front()];
  std::string words = headline(v);
  if (const std::string mistake = first_mistake(v); mistake != group.cause && mistake != v.message) words += "; " + mistake;
  const Node item = line(list, "li");
  code(item, twins_text(result, twins));
  soft(write(item, " "), words);
}

/// All failures of a group except the first, which the card shows in full.
void others(Node card, const RunResult& result, const FailureGroup& group) {
  std::map<std::string, std::vector<const Twins*>> by_kernel;
  for (const Twins& twins : group.failures)
    if (&twins != &group.failures.front()) by_kernel[result.verdicts[twins.places.front()].kernel].push_back(&twins);
  for (const auto& [name, failures] : by_kernel) {
    int64_t verdicts = 0;
    for (const Twins* twins : failures) verdicts += int64_t(twins->places.size());
    const Folded list = folded(card);
    code(write(list.summary, counted(verdicts, "verdict") + " more of kernel "), name);
    const Node lines = line(list.content, "ul", "others");
    for (const Twins* twins : failures) failure_line(lines, result, group, *twins);
  }
}

}  // namespace

void cause_table(Node section, const RunResult& result, const std::vector<FailureGroup>& groups) {
  if (groups.empty()) return;
  const Node body = table(section, "causes", {"", "verdicts", "cause", "kernels"});
  for (size_t i = 0; i < groups.size(); ++i) {
    const Node row = line(body, "tr");
    write(cause_link(cell(row), i), std::to_string(i + 1));
    write(cell(row), std::to_string(groups[i].verdicts));
    const Node cause = cell(row);
    write(cause_link(cause, i), title(result, groups[i]));
    if (groups[i].expected) soft(write(cause, " "), "(as expected)");
    kernels(cell(row), groups[i]);
  }
}

void cause_cards(Node section, const RunResult& result, const std::vector<FailureGroup>& groups, const ContractTexts& contracts) {
  for (size_t i = 0; i < groups.size(); ++i) {
    const FailureGroup& group = groups[i];
    const Node card = set(line(section, "section", "card"), "id", fmt::format("c{}", i + 1)), head = line(card, "h3");
    write(cause_link(head, i), std::to_string(i + 1));
    write(head, " " + title(result, group));
    kernels(write(line(card, "p"), fmt::format("{} of {}: ", counted(group.verdicts, "verdict"),
                                               counted(int64_t(group.kernels.size()), "kernel"))),
            group);
    const auto contract = contracts.find(result.verdicts[group.first()].contract);
    failure(card, result.verdicts[group.first()], twins_text(result, group.failures.front()),
            contract == contracts.end() ? nullptr : &contract->second);
    others(card, result, group);
  }
}

}  // namespace assay::html
