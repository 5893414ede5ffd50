#include "harness/probe/fit.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "harness/probe/probe_data.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

constexpr int kRounds = 3;  ///< data sets per pair of places: with only one, places that seldom differ would look exchangeable

/// In every second tile from `first` on, makes the product at place p large. Either c or another product cancels it.
void make_large(Tiles& tiles, int64_t first, int p, Draw& draw) {
  const Instruction& i = tiles.instruction();
  const int top_a = std::min(top_exponent(*i.a), top_exponent(*i.d) / 2 - 1),
            top_b = std::min(top_exponent(*i.b), top_exponent(*i.d) / 2 - 1);
  for (int64_t tile = first; tile < tiles.count(); tile += 2) {
    const double a = std::ldexp(1.0, top_a), b = std::ldexp(1.0, top_b);
    const int q = tile % 4 < 2 ? (p + 1 + draw.below(i.k - 1)) % i.k : -1;
    for (int row = 0; row < i.m; ++row) {
      tiles.set_a(tile, row, p, code_near(*i.a, a));
      if (q >= 0) tiles.set_a(tile, row, q, code_near(*i.a, -a));
    }
    for (int column = 0; column < i.n; ++column) {
      tiles.set_b(tile, column, p, code_near(*i.b, b));
      if (q >= 0) tiles.set_b(tile, column, q, code_near(*i.b, b));
    }
    for (int row = 0; row < i.m; ++row)
      for (int column = 0; column < i.n; ++column) tiles.set_c(tile, row, column, code_near(*i.d, q >= 0 ? 0.0 : -a * b));
  }
}

}  // namespace

std::vector<bool> dead_places(const Instruction& i, const Observation& alone) {
  const auto places = size_t(i.k);
  std::vector<bool> dead(places, true);
  const auto elements = size_t(i.m * i.n);
  for (int64_t tile = 0; tile < alone.tiles.count(); ++tile)
    for (size_t e = 0; e < elements; ++e)
      if (decode(*i.d, alone.d[size_t(tile) * elements + e]) != 0) dead[size_t(tile % i.k)] = false;
  const bool all = std::count(dead.begin(), dead.end(), true) == i.k;
  return all ? std::vector<bool>(places) : dead;
}

std::vector<int> places_alike(const Instruction& i, const Ask& ask, int64_t elements, uint64_t seed) {
  const int64_t half = std::max<int64_t>(4, tiles_for(i, elements));
  Draw draw(seed);
  const auto alike_on = [&](int round, int p, int q) {
    Tiles tiles = probe_tiles("wide", i, 2 * half, seed + uint64_t((round * i.k + p) * i.k + q));
    tiles.clear_scales();  // products with different scales cannot be exchanged
    make_large(tiles, 1, p, draw);
    // The second half repeats the first with the two products exchanged.
    for (int64_t tile = 0; tile < half; ++tile) {
      tiles.copy(tile, half + tile);
      tiles.swap(half + tile, p, q);
    }
    const std::vector<uint32_t> d = ask(tiles);
    return std::equal(d.begin(), d.begin() + std::ptrdiff_t(d.size() / 2), d.begin() + std::ptrdiff_t(d.size() / 2));
  };
  const auto alike = [&](int p, int q) {
    for (int round = 0; round < kRounds; ++round)
      if (!alike_on(round, p, q)) return false;
    return true;
  };
  const auto places = size_t(i.k);
  std::vector<int> first(places, -1), found;
  for (int p = 0; p < i.k; ++p) {
    for (const int q : found)
      if (first[size_t(p)] < 0 && alike(p, q)) first[size_t(p)] = q;
    if (first[size_t(p)] < 0) first[size_t(p)] = p, found.push_back(p);
  }
  return first;
}

bool adds_c_at_the_end(const Instruction& i, const Ask& ask, int64_t elements, uint64_t seed) {
  if (i.integers()) return false;
  for (const char* kind : {"wide", "addend", "ties"}) {
    const Tiles with = probe_tiles(kind, i, std::max<int64_t>(4, tiles_for(i, elements)), seed);
    Tiles without = with;
    for (int64_t tile = 0; tile < with.count(); ++tile)
      for (int row = 0; row < i.m; ++row)
        for (int column = 0; column < i.n; ++column) without.set_c(tile, row, column, 0);
    const std::vector<uint32_t> d = ask(with), of_products = ask(without);
    for (size_t e = 0; e < d.size(); ++e) {
      const auto tile = int64_t(e) / (i.m * i.n), row = int64_t(e) / i.n % i.m, column = int64_t(e) % i.n;
      // A sum of two f32 values may be rounded to double and then to f32: the result is the same as with one rounding.
      const double sum = decode(*i.d, with.c(tile, row, column)) + decode(*i.d, of_products[e]);
      if (!std::isfinite(sum) || sum == 0) continue;
      if (round_to(*i.d, sum, Rounding::kNearestEven, Overflow::kSpecial) != decode(*i.d, d[e])) return false;
    }
  }
  return true;
}

bool refines(const std::vector<int>& fine, const std::vector<int>& coarse, const std::vector<bool>& dead) {
  const auto counts = [&](size_t p) { return dead.empty() || !dead[p]; };
  for (size_t p = 0; p < fine.size(); ++p)
    for (size_t q = p + 1; q < fine.size(); ++q)
      if (counts(p) && counts(q) && fine[p] == fine[q] && coarse[p] != coarse[q]) return false;
  return true;
}

namespace {

// One step of fitting a model to observations: chooses the value of one parameter, or of two.

/// Sets a parameter to the value that explains the most elements of these kinds of inputs (empty: all kinds). If several values
/// are equally good, the current one is kept, or else the first is taken. Returns true if the value changed.
bool decide(const UnitParameter& parameter, const Instruction& instruction, const Seen& seen,
            std::span<const std::string_view> kinds, Unit& unit, int64_t& unexplained);

/// For each pair of numeric parameters of the sum, chooses both values together: if both are wrong, a change of only one may not
/// help. Returns true if fewer elements are unexplained than before.
bool decide_any_two(const Instruction& instruction, const Seen& seen, Fit& fit);

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

bool is_number_of_sums(const UnitParameter& parameter) {
  return parameter.is_number && (parameter.cell == "sum" || parameter.cell == "c");
}

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

// Search for the model that explains most of an instruction's results.

constexpr int64_t kAll = std::numeric_limits<int64_t>::max() / 2;
constexpr size_t kMostFinerOrders = 12;  ///< limit per Shape on the orders with fewer exchangeable places than the results show
constexpr int kMostSweeps = 4;
constexpr int64_t kFarBehind = 4;  ///< a fit that leaves this many times as much unexplained as the best is given up
constexpr int64_t kNearlyAll = 8;  ///< a model explains nearly all elements if it leaves less than 1/8 unexplained
constexpr int64_t kFew = 64;       ///< if at most 1/64 is unexplained, the shape is right, but two parameters may be wrong

/// The structure of the sums, without its numeric parameters.
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

/// Combines the Shape with orders. Those in which exactly the places in `alike` are exchangeable go to `same`, some with fewer to
/// `finer`.
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

/// Decides each parameter on the inputs made for it, then all parameters on all inputs. `best`: how many elements the best model
/// so far leaves unexplained. Skips the second step if the first leaves far more unexplained than that.
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

/// True if the fit explains everything but signs of zeros, which no row of units.csv describes.
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
  // If the order is only similar to the right one, it may be that no change of a single parameter improves the fit. So the
  // parameters of the best fit are tried in every order.
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
