#include <algorithm>

#include "reference/flow/dot/edit_list.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/verbs.h"

namespace assay::dot {
namespace {

/// Both orders of two multiplications, and the product of both scales first.
std::vector<Steps> orders(const Steps& scales) {
  const auto step = [](const char* operand) { return CellStep::made("mul", {operand}); };
  std::vector<Steps> all = {{step("sa*sb")}, {step("sb"), step("sa")}, {step("sa"), step("sb")}};
  std::erase_if(all, [&](const Steps& one) { return text_of(one) == text_of(scales); });
  return all;
}

/// The steps of y between those before the scales and the last one.
struct CutY {
  Steps before, scales, c;  ///< `c`: what adds it
  CellStep last;

  explicit CutY(const Steps& y) : last(y.back()) {
    for (const CellStep& step : Steps(y.begin(), y.end() - 1)) {
      Steps& of = step.word == "mul" ? scales : step.text == "add(c)" ? c : before;
      of.push_back(step);
    }
  }
  Steps with(const Steps& middle, const CellStep& end) const {
    Steps steps = before;
    for (const Steps& more : {middle, c, Steps{end}}) steps.insert(steps.end(), more.begin(), more.end());
    return steps;
  }
};

/// Of scales that join the result.
void edit_scales(const CutY& cut, Edits& edits) {
  const std::string text = text_of(cut.scales);
  for (const Steps& other : orders(cut.scales)) edits.y("y: " + text + " -> " + text_of(other), cut.with(other, cut.last));
  for (const char* scale : {"sa", "sb"})
    edits.y(std::string("y: ") + (scale[1] == 'a' ? "sb" : "sa") + " is left out",
            cut.with({CellStep::made("mul", {scale})}, cut.last));
}

/// The format that the same bits may be taken for: OCP and fnuz.
const Format* sibling(const Format& f) {
  for (const Format& other : all_formats())
    if (!(other == f) && other.bits == f.bits && other.exponent_bits == f.exponent_bits &&
        other.mantissa_bits == f.mantissa_bits && other.bias != f.bias && !f.is_integer())
      return &other;
  return nullptr;
}

}  // namespace

void edit_codes(const DotContract& right, Edits& edits) {
  const Format *a = sibling(*right.unit.a), *b = sibling(*right.unit.b);
  if (!a || !b) return;
  edits.add("a and b: " + std::string(right.unit.a->name) + " read as " + std::string(a->name), [&](DotNeighbour& edited) {
    edited.contract.unit.a = a;
    edited.contract.unit.b = b;
  });
}

void edit_y(const DotContract& right, const Format& y, Edits& edits) {
  const CutY cut(right.y);
  if (!right.of_blocks()) edit_scales(cut, edits);
  for (const char* scale : {"ga", "gb"}) {
    const std::string other = scale[1] == 'a' ? "gb" : "ga";
    Steps without;
    for (const CellStep& step : cut.scales) {
      if (step.arguments.size() == 1 && step.argument(0) == scale) continue;
      const bool of_both = step.arguments.size() == 1 && (step.argument(0) == "ga*gb" || step.argument(0) == "gb*ga");
      without.push_back(of_both ? CellStep::made("mul", {other}) : step);
    }
    edits.y(std::string("y: ") + scale + " is left out", cut.with(without, cut.last));
  }
  Steps gained = cut.scales;
  gained.push_back(CellStep::made("mul", {"101/100"}));
  edits.y("y: gain 101/100", cut.with(gained, cut.last));
  if (!cut.c.empty()) {
    CutY forgets = cut;
    forgets.c.clear();
    edits.y("y: c is left out", forgets.with(cut.scales, cut.last));
  }
  if (y == kF32) return;
  for (const CellStep& other : other_forms(cut.last)) edits.y("y: " + cut.last.text + " -> " + other.text, cut.with(cut.scales, other));
  for (size_t i = 0; i + 1 < cut.scales.size(); ++i) {
    Steps twice = cut.scales;
    twice.insert(twice.begin() + std::ptrdiff_t(i) + 1, cut.last);
    edits.y("y: to(y) after " + cut.scales[i].text, cut.with(twice, cut.last));
  }
}

void edit_bias(const DotContract& right, const Format& y, Edits& edits) {
  edits.add("bias: missing", [&](DotNeighbour& wrong) { wrong.contract.bias.clear(); });
  edits.add("bias: before the scales", [&](DotNeighbour& wrong) {
    Steps& steps = wrong.contract.y;
    const auto at = std::find_if(steps.begin(), steps.end(), [](const CellStep& s) { return s.word == "mul"; });
    steps.insert(at, CellStep::made("add", {"bias"}));
    wrong.contract.bias.clear();
  });
  if (y == kF32) return;
  const bool rounds_first = right.bias.front().text == right.y.back().text;
  const Steps plain = {CellStep::made("add", {"bias"})}, rounded = {right.y.back(), plain.front()};
  edits.add("bias: " + (rounds_first ? text_of(right.bias) + " -> " + text_of(plain) : "to(y) before " + text_of(right.bias)),
            [&](DotNeighbour& wrong) { wrong.contract.bias = rounds_first ? plain : rounded; });
}

}  // namespace assay::dot
