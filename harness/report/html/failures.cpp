#include "harness/report/html/failures.h"

#include <fmt/format.h>

#include <map>

#include "harness/report/causes.h"
#include "harness/report/html/failure.h"
#include "harness/report/words.h"

namespace assay::html {
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

/// One failure as a line: the case, what is wrong, and its cause if the numbers differ from the card's.
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

void cause_cards(Node section, const RunResult& result, const std::vector<FailureGroup>& groups) {
  for (size_t i = 0; i < groups.size(); ++i) {
    const FailureGroup& group = groups[i];
    const Node card = set(line(section, "section", "card"), "id", fmt::format("c{}", i + 1)), head = line(card, "h3");
    write(cause_link(head, i), std::to_string(i + 1));
    write(head, " " + title(result, group));
    kernels(write(line(card, "p"), fmt::format("{} of {}: ", counted(group.verdicts, "verdict"),
                                               counted(int64_t(group.kernels.size()), "kernel"))),
            group);
    failure(card, result.verdicts[group.first()], twins_text(result, group.failures.front()));
    others(card, result, group);
  }
}

}  // namespace assay::html
