#include "harness/probe/fit.h"

#include <algorithm>
#include <limits>

#include "harness/probe/decide.h"
#include "harness/probe/orders.h"
#include "harness/probe/parameters.h"
#include "harness/probe/symmetry.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr int64_t kAll = std::numeric_limits<int64_t>::max() / 2;
constexpr size_t kMostFinerOrders = 12;  ///< per shape
constexpr int kMostSweeps = 4;
constexpr int64_t kFarBehind = 4;
constexpr int64_t kNearlyAll = 8;  ///< at most 1/8 of the elements are unexplained
constexpr int64_t kFew = 64;       ///< at most 1/64 is unexplained: two parameters may be wrong, but not the shape

/// The structure of the sums; numeric parameters do not change it.
struct Shape {
  Unit plain;
  int most_splits = 1;
};

std::vector<Shape> shapes(const Instruction& i, bool c_at_the_end) {
  const Unit plain = plain_unit(i);
  if (i.integers()) return {{plain, 1}};
  std::vector<Shape> all;
  const bool four_bits = i.a->specials == Specials::kFinite && i.a->exponent_bits <= 2 && i.b->specials == Specials::kFinite &&
                         i.b->exponent_bits <= 2;
  if (i.scale && four_bits && *i.d == kF32) {
    Shape groups{plain, 1};
    groups.plain.exponent = TermExponent::kScales;
    groups.plain.group = std::min(16, i.scale_block);
    groups.plain.fraction_bits = 35;
    all.push_back(groups);
  }
  for (const bool last : {true, false}) {
    if (last && !c_at_the_end) continue;
    Shape aligned{plain, 1}, joined{plain, *i.d == kF32 ? kMostSplits : 1};
    aligned.plain.c_last = joined.plain.c_last = last;
    joined.plain.join = AccumulatorJoin::kJoined;
    joined.plain.sum_fraction_bits = 31, joined.plain.c_fraction_bits = 24;
    joined.plain.rounding = ResultRounding::kNearestEven;
    joined.plain.join_fraction_bits = 24;
    all.push_back(aligned), all.push_back(joined);
  }
  if (!i.scale && *i.d == kF32) {
    Shape tree{plain, 1};
    tree.plain.sum = ProductSum::kPairs, tree.plain.join = AccumulatorJoin::kAdded;
    tree.plain.rounding = ResultRounding::kNearestEven;
    all.insert(c_at_the_end ? all.begin() : all.begin() + 1, tree);
  }
  return all;
}

/// The shape in every order of k that is consistent with `alike`, and in some orders that distinguish more places.
void in_orders(const Shape& shape, const Instruction& i, const std::vector<int>& alike, std::vector<Unit>& same,
               std::vector<Unit>& finer) {
  std::vector<Unit> found;
  const bool tree = shape.plain.sum == ProductSum::kPairs, groups = shape.plain.group > 1;
  for (const UnitOrder& order : unit_orders(i.k, tree, shape.most_splits)) {
    Unit unit = shape.plain;
    if (groups && (order.interleave_period != 0 || order.take % unit.group != 0)) continue;
    set_order(unit, order);
    const std::vector<int> own = alike_places(unit);
    if (!refines(own, alike, i.dead)) continue;
    if (refines(alike, own, i.dead))
      same.push_back(unit);
    else if (found.size() < kMostFinerOrders)
      found.push_back(unit);
  }
  finer.insert(finer.end(), found.begin(), found.end());
}

int64_t elements_of(const Seen& seen) {
  int64_t count = 0;
  for (const Observation& one : seen.all) count += int64_t(one.d.size());
  return count;
}

/// Decides all parameters on the inputs made for them, then on all inputs. Stops early if so much more is unexplained than for
/// another shape that no parameter could explain it.
Fit fit_of(const Instruction& i, const Seen& seen, Unit unit, int64_t best) {
  for (const UnitParameter& parameter : unit_parameters()) {
    if (parameter.cell == "order") continue;
    const std::span<const std::string_view> own(parameter.data);
    int64_t left = seen.unexplained(unit, kAll, own);
    decide(parameter, i, seen, own, unit, left);
  }
  const int64_t most = best < kAll ? kFarBehind * best + elements_of(seen) / kNearlyAll : kAll;
  const Fit first{unit, seen.unexplained(unit, most)};
  return first.unexplained > most ? first : improved(i, seen, first);
}

/// True if only signs of zeros are unexplained; no table row describes these.
bool only_signs_left(const Seen& seen, const Fit& fit) {
  constexpr std::string_view kSigns[] = {"signs"};
  return fit.unexplained > 0 && seen.unexplained(fit.unit, kAll, kSigns) == fit.unexplained;
}

}  // namespace

int64_t Seen::unexplained(const Unit& unit, int64_t most, std::span<const std::string_view> kinds) const {
  int64_t count = 0;
  for (const Observation& one : all) {
    if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), one.kind) == kinds.end()) continue;
    if (count > most) break;
    count += mismatches(unit, one, most - count);
  }
  return count;
}

Fit improved(const Instruction& i, const Seen& seen, Fit from) {
  for (int sweep = 0; sweep < kMostSweeps && from.unexplained > 0; ++sweep) {
    bool changed = false;
    for (const UnitParameter& parameter : unit_parameters())
      if (from.unexplained > 0) changed |= decide(parameter, i, seen, {}, from.unit, from.unexplained);
    if (!changed && (from.unexplained * kFew > elements_of(seen) || !decide_any_two(i, seen, from))) break;
  }
  return from;
}

Fit fit(const Instruction& i, const Seen& seen, uint32_t nan) {
  std::vector<Unit> units, finer;
  for (Shape& shape : std::vector<Shape>(shapes(i, seen.c_at_the_end))) {
    if (!i.integers()) shape.plain.nan = nan;
    in_orders(shape, i, seen.alike, units, finer);
  }
  Fit best{plain_unit(i), kAll};
  const auto done = [&] { return best.unexplained == 0 || only_signs_left(seen, best); };
  const auto try_all = [&](const std::vector<Unit>& some) {
    for (const Unit& unit : some) {
      Fit one = fit_of(i, seen, unit, best.unexplained);
      if (one.unexplained < best.unexplained) best = std::move(one);
      if (done()) break;
    }
  };
  try_all(units);
  // Parameters can block each other in a similar order but not in the right one, so those of the best fit are tried in each
  // order.
  const Fit first = best;
  for (size_t k = 0; k < units.size() && !done(); ++k) {
    if (units[k].join != first.unit.join || units[k].sum != first.unit.sum || units[k].group != first.unit.group) continue;
    Unit unit = first.unit;
    set_order(unit, {units[k].interleave_period, units[k].interleave_width, units[k].take, units[k].splits});
    Fit one = improved(i, seen, {unit, seen.unexplained(unit, kAll)});
    if (one.unexplained < best.unexplained) best = std::move(one);
  }
  if (!done() && (units.empty() || best.unexplained * kNearlyAll < elements_of(seen))) try_all(finer);
  return best;
}

}  // namespace assay
