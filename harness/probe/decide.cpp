#include "harness/probe/decide.h"

namespace assay {
namespace {

bool decide_two(const UnitParameter& one, const UnitParameter& two, const Instruction& i, const Seen& seen, Fit& fit) {
  Fit best = fit;
  for (const int first : one.values(i, fit.unit)) {
    Unit unit = fit.unit;
    one.set(unit, first);
    for (const int second : two.values(i, unit)) {
      two.set(unit, second);
      if (best.unexplained == 0) break;
      const int64_t left = seen.unexplained(unit, best.unexplained - 1);
      if (left < best.unexplained) best = {unit, left};
    }
  }
  const bool better = best.unexplained < fit.unexplained;
  fit = best;
  return better;
}

bool is_number_of_sums(const UnitParameter& parameter) { return parameter.is_number && (parameter.cell == "sum" || parameter.cell == "c"); }

}  // namespace

bool decide(const UnitParameter& parameter, const Instruction& i, const Seen& seen, std::span<const std::string_view> kinds,
            Unit& unit, int64_t& unexplained) {
  const int before = parameter.get(unit);
  int best = before;
  for (const int value : parameter.values(i, unit)) {
    if (value == before) continue;
    Unit other = unit;
    parameter.set(other, value);
    const int64_t left = seen.unexplained(other, unexplained - 1, kinds);
    if (left < unexplained) unexplained = left, best = value;
  }
  parameter.set(unit, best);
  return best != before;
}

bool decide_any_two(const Instruction& i, const Seen& seen, Fit& fit) {
  const std::span<const UnitParameter> all = unit_parameters();
  bool better = false;
  for (size_t one = 0; one < all.size(); ++one)
    for (size_t two = one + 1; two < all.size(); ++two)
      if (fit.unexplained > 0 && is_number_of_sums(all[one]) && is_number_of_sums(all[two]))
        better |= decide_two(all[one], all[two], i, seen, fit);
  return better;
}

}  // namespace assay
