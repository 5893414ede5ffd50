#include "suites/rows/words.h"

#include <fmt/format.h>

#include <cstdio>

#include "suites/rows/inputs.h"

namespace assay {

std::string in_words(Span span) {
  char text[96];
  if (span.any()) return "anything, NaN included";
  if (span.pinned())
    std::snprintf(text, sizeof text, "%.9g  (%a)", span.low, span.low);
  else
    std::snprintf(text, sizeof text, "%.9g .. %.9g  (%a .. %a)", span.low, span.high, span.low, span.high);
  return text;
}

std::vector<std::string> trace_lines(const Trace& trace, std::optional<int64_t> group) {
  std::vector<std::string> lines;
  for (const TracedCell& cell : trace.cells()) {
    const bool of_group = group && (cell.name == "amax" || cell.name == "lo" || cell.name == "hi" || cell.name.ends_with(" given"));
    const std::string name = of_group ? fmt::format("{}{} {}", cell.name, cell.made ? " of group" : " to group", *group) : cell.name;
    lines.push_back(fmt::format("  {}: {}{}", name, cell.made ? "from " : "", in_words(cell.from)));
    for (const TracedStep& step : cell.steps) lines.push_back(fmt::format("    {:<22} {}", step.text, in_words(step.result)));
  }
  return lines;
}

std::vector<std::string> trace_element(const RowCase& c, const Problem& problem, int64_t row, int64_t column) {
  // x may be larger than the result: two halves, or unused capacity
  if (row >= c.m || column >= c.n)
    return {fmt::format("element [{}, {}] is none of the result's [{}, {}]", row, column, c.m, c.n)};
  const Contract& contract = *c.bound;
  Trace trace{size_t(column)};
  evaluate_row(contract, CaseInputs(contract, c, problem).of_row(row), nullptr, *c.x, &trace);
  std::vector<std::string> lines = {fmt::format("element [{}, {}]", row, column)};
  const std::optional<int64_t> group = c.group_size() > 0 ? std::optional(column / c.group_size()) : std::nullopt;
  for (std::string& line : trace_lines(trace, group)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace assay
