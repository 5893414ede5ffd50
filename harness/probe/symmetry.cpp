#include "harness/probe/symmetry.h"

#include <algorithm>

#include "harness/probe/draw.h"

namespace assay {
namespace {

constexpr int kRounds = 3;  ///< places that differ rarely look interchangeable on a single data set

/// Makes the product at p large, cancelling with c or another product; all others are small.
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
    tiles.clear_scales();  // the scale of a place depends on its neighbours
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
      // A double holds the sum of two f32 values precisely enough to be rounded again.
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

}  // namespace assay
