#include "suites/rows/special_values.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <sstream>

#include "reference/flow/contract.h"
#include "reference/flow/flow.h"
#include "reference/flow/row.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/rows/expect.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr int64_t kGroup = 32;

std::string hex(const Format& format, double value) {
  return fmt::format("{:0{}x}", code_of(format, value), (format.bits + 3) / 4);
}

/// One code, both ends of an interval, or "?".
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

/// NaN bits differ between machines, so the table only says "nan".
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
