#include "reference/flow/words.h"

#include <algorithm>

namespace assay {
namespace {

void append(std::string& text, const char* between, const std::string& part) {
  text.append(text.empty() || part.empty() ? "" : between).append(part);
}

std::string free_steps(const Recipe& cell) {
  std::string text;
  for (const Step& step : cell.steps) {
    const bool undefined = step.beyond == BeyondInteger::kUndefined;
    if (step.is_free() || undefined) append(text, ", ", step.text + (undefined ? " is undefined for what does not fit" : ""));
  }
  return text;
}

}  // namespace

void FormulaLines::add(const std::string& name, const std::string& text) {
  std::string line = name;
  line.resize(std::max<size_t>(line.size(), 5), ' ');
  lines.push_back(line + " = " + text);
}

std::vector<std::string> formulas(const Contract& contract) {
  FormulaLines all;
  for (const Link& link : contract.links) std::visit([&](const auto& one) { append_formulas(one, all); }, link);
  return std::move(all.lines);
}

std::string free_steps(std::initializer_list<const Recipe*> cells) {
  std::string text;
  for (const Recipe* cell : cells) append(text, "; ", free_steps(*cell));
  return text;
}

std::string justification(const Contract& contract, const RowInputs& row, const Format& x) {
  std::string text;
  for (const Link& link : contract.links) append(text, "; ", std::visit([&](const auto& one) { return freedom(one, row, x); }, link));
  return text.empty() ? "every rounding is pinned: one code" : text;
}

}  // namespace assay
