#include "suites/rows/row_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "reference/flow/contract.h"
#include "reference/flow/flow.h"
#include "reference/flow/row.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/rows/row_case.h"
#include "suites/rows/row_expectation.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {

// Trace of an element: how the contract computes it, step by step.

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
    const bool of_group =
        group && (cell.name == "amax" || cell.name == "lo" || cell.name == "hi" || cell.name.ends_with(" given"));
    const std::string name =
        of_group ? fmt::format("{}{} {}", cell.name, cell.made ? " of group" : " to group", *group) : cell.name;
    lines.push_back(fmt::format("  {}: {}{}", name, cell.made ? "from " : "", in_words(cell.from)));
    for (const TracedStep& step : cell.steps) lines.push_back(fmt::format("    {:<22} {}", step.text, in_words(step.result)));
  }
  return lines;
}

std::vector<std::string> trace_element(const RowCase& c, const Problem& problem, int64_t row, int64_t column) {
  // x may be larger than the result: it may have two halves in a row, or unused rows
  if (row >= c.m || column >= c.n)
    return {fmt::format("element [{}, {}] does not exist: the result is [{}, {}]", row, column, c.m, c.n)};
  const Contract& contract = *c.bound;
  Trace trace{size_t(column)};
  evaluate_row(contract, CaseInputs(contract, c, problem).of_row(row), nullptr, *c.x, &trace);
  std::vector<std::string> lines = {fmt::format("element [{}, {}]", row, column)};
  const std::optional<int64_t> group = c.group_size() > 0 ? std::optional(column / c.group_size()) : std::nullopt;
  for (std::string& line : trace_lines(trace, group)) lines.push_back(std::move(line));
  return lines;
}

namespace {

// Lines about storage layouts, for authors of plug-ins: address formulas, shapes and padding rules.

const char* rule_in_words(PaddingRule rule) {
  switch (rule) {
    case PaddingRule::kZero:
      return "must be zero";
    case PaddingRule::kUntouched:
      return "must not be changed";
    case PaddingRule::kFree:
      break;
  }
  return "may be anything";
}

}  // namespace

std::vector<std::string> layout_lines(const std::string& tensor, const Layout& layout, const std::string& pad,
                                      const std::string& absent_groups) {
  std::vector<std::string> lines = {
      fmt::format("{}: layout {}: {}", tensor, layout.id, layout.why),
      fmt::format("  the scale of row r, group c (of m rows of g groups) is {} element {}", layout.element->name, layout.offset.text()),
      fmt::format("  the tensor is {} [{}, {}], strides [{}, {}], storage {}", layout.type->name, layout.shape[0].text(),
                  layout.shape[1].text(), layout.strides[0].text(), layout.strides[1].text(), layout.storage.text())};
  if (layout.packs_words())
    lines.push_back(fmt::format("  each element packs {} {} scales, the first in its lowest bits", layout.type->bits / layout.element->bits,
                                layout.element->name));
  if (layout.rows.text() != "m")
    lines.push_back(fmt::format("  rows from m to {}: {}", layout.rows.text(), rule_in_words(padding_rule(pad, "rows"))) +
                    (layout.storage.text().starts_with("m+")
                         ? "; the last column has no such rows: the storage ends with its row m-1"
                         : ""));
  if (layout.cols.text() != "g")
    lines.push_back(fmt::format("  groups from g to {}: {}", layout.cols.text(),
                                absent_groups.empty() ? rule_in_words(padding_rule(pad, "k")) : absent_groups));
  return lines;
}

std::vector<std::string> row_layout_lines(const RowCase& c) {
  if (c.layout() == nullptr) return {};
  const std::string last = chain_of(rulebook().contracts.find(c.contract)).back();
  std::vector<std::string> lines = layout_lines("scale", *c.layout(), rulebook().contracts.find(last).text("pad"));
  lines.push_back(fmt::format("  here m = {}, g = {}; a group is {} x {} elements", c.rows_of_scales(), c.scales_of_row(),
                              c.group_rows(), c.group_size()));
  if (c.groups.any()) lines.push_back("  each expert has its own m x g scales; those of the next expert follow");
  return lines;
}

namespace {

// SPECIALS.md: what each quantization contract returns for zeros, tiny and huge numbers, -0, NaN and Inf.

constexpr int64_t kGroup = 32;

std::string hex(const Format& format, double value) {
  return fmt::format("{:0{}x}", code_of(format, value), (format.bits + 3) / 4);
}

/// "70" for a single code, "70/71" for an interval, "?" for anything.
std::string accepted(const Format& format, Span span) {
  if (span.any()) return "?";
  const std::string low = hex(format, span.low), high = hex(format, span.high);
  return low == high ? low : low + "/" + high;
}

double bf16(double value) { return round_to(kBf16, value, Rounding::kNearestEven, Overflow::kSpecial); }

std::vector<double> numbers_of(const SpecialGroup& group) {
  std::vector<double> x(size_t(kGroup), bf16(group.rest));
  for (size_t i = 0; i < group.x.size(); ++i) x[i] = bf16(group.x[i]);
  return x;
}

/// The bits of NaN differ between machines, so the table says "nan" for an fp32 scale.
std::string scale_bits(const Format& element, Span span) {
  if (!span.any() && std::isnan(span.low) && element.specials == Specials::kIeee) return "nan";
  return accepted(element, span);
}

}  // namespace

const std::vector<SpecialGroup>& special_groups() {
  static const std::vector<SpecialGroup> groups = {
      {"0", {0}},
      {"1e-37, 0", {1e-37, 0}},
      {"4e-36, 1e-36", {4e-36, 1e-36}},
      {"448, -1e-6, -0", {448, -1e-6, -0.0}},
      {"448, NaN, 1", {448, std::nan(""), 1}},
      {"NaN", {std::nan("")}, std::nan("")},
      {"Inf, -Inf, 1", {HUGE_VAL, -HUGE_VAL, 1}},
      {"3e38, 1e38", {3e38, 1e38}},
  };
  return groups;
}

SpecialGroup special_group(const std::string& numbers) {
  SpecialGroup group{numbers, {}};
  std::istringstream words(numbers);
  for (std::string word; words >> word;) group.x.push_back(std::strtod(word.c_str(), nullptr));
  return group;
}

SpecialAnswer special_answer(const ContractRow& row, const SpecialGroup& group) {
  const Contract contract = bind(rulebook().contracts, row.id, kBf16);
  const GroupQuant& quant = *contract.group_quant();
  RowInputs inputs{numbers_of(group), {}, 0, kGroup};
  inputs.scale.assign(1, 1.0);
  inputs.zero.assign(1, 0.0);
  const RowOutputs out = evaluate_row(contract, inputs, nullptr, kBf16);
  SpecialAnswer answer;
  const std::string layouts = row.text("layouts");
  const Format& element = *rulebook().layout(layouts.substr(0, layouts.find('|'))).element;
  answer.scale = quant.takes_scales() ? "1" : scale_bits(element, as_stored(out.scale, element)[0]);
  if (out.zero.size() > 0) answer.scale.append("@").append(accepted(kInt32, out.zero[0]));
  for (size_t i = 0; i < group.x.size(); ++i) answer.codes.push_back(accepted(*quant.q, out.q[i]));
  return answer;
}

std::string special_table() {
  std::string text = "| contract |", rule = "|---|";
  for (const SpecialGroup& group : special_groups()) text += " " + group.name + " |", rule += "---|";
  text += "\n" + rule + "\n";
  for (const ContractRow& row : rulebook().contracts.rows()) {
    if (!is_quantization(row)) continue;
    text += "| " + row.id + " |";
    for (const SpecialGroup& group : special_groups()) {
      const SpecialAnswer answer = special_answer(row, group);
      text += " " + answer.scale + ":";
      for (const std::string& code : answer.codes) text += " " + code;
      text += " |";
    }
    text += "\n";
  }
  return text;
}

}  // namespace assay
