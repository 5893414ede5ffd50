#include "harness/cli/arch_data.h"

#include <xxhash.h>

#include <algorithm>

#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr std::array<UnitFills, 8> kFills = {{{"uniform bits", "uniform_bits", "uniform_bits", "uniform_bits", "scales"},
                                              {"near 1", "near_one", "near_one", "near_one", "scales"},
                                              {"sparse, signed zeros", "half_zeros", "half_zeros", "half_zeros", "scales"},
                                              {"tiny and subnormal", "tiny", "tiny", "tiny", "scales"},
                                              {"cancelling pairs", "pairs", "opposite_pairs", "half_zeros", "scales"},
                                              {"near overflow", "near_overflow", "near_overflow", "huge", "scales"},
                                              {"very sparse", "mostly_zeros", "mostly_zeros", "mostly_zeros", "scales"},
                                              {"special values", "specials", "specials", "specials", "specials"}}};

/// If the products are far smaller than the largest d, uses a small c: a large one would hide them.
std::string fill_of_c(const UnitFills& fills, const Unit& unit) {
  const bool reaches = max_finite(*unit.a) * max_finite(*unit.b) >= max_finite(*unit.d) / 4;
  return std::string(fills.c) == "huge" && !reaches ? "half_zeros" : fills.c;
}

/// A format without NaN and Inf has no special values; any code is used instead.
std::string fill_of_factor(const char* fill, const Format& format) {
  return format.specials == Specials::kFinite && fill == std::string("specials") ? "uniform_bits" : fill;
}

}  // namespace

std::span<const UnitFills> fills_of(const Unit& unit) {
  return std::span(kFills).first(unit.d->is_integer() ? 1 : kFills.size());
}

MmaCase UnitCalls::chain(int64_t steps) const {
  MmaCase c;
  c.row = row;
  c.m = m, c.n = n, c.steps = steps, c.seed = seed;
  c.tiles = std::max<int64_t>(1, (elements + m * n - 1) / (m * n));
  c.fill = fill_of_factor(fills->a, *row->unit.a), c.b = fill_of_factor(fills->b, *row->unit.b), c.c = fill_of_c(*fills, row->unit);
  if (row->unit.scale) c.scale = fills->scale;
  return c;
}

HostTensor predicted_d(const MmaCase& c, const Problem& problem) {
  const HostTensor& addend = find(problem.tensors, "c");
  HostTensor d{addend.spec, addend.bytes};
  const int64_t of_tile = c.m * c.n;
  std::vector<uint32_t> codes(static_cast<size_t>(of_tile));
  for (int64_t tile = 0; tile < c.tiles; ++tile) {
    for (int64_t i = 0; i < of_tile; ++i) codes[size_t(i)] = addend.code(tile * of_tile + i);
    accumulate(c.unit(), tile_of(c, problem, tile), {0, c.m, 0, c.n}, 0, c.k(), codes.data(), c.n);
    for (int64_t i = 0; i < of_tile; ++i) d.set_code(tile * of_tile + i, codes[size_t(i)]);
  }
  return d;
}

uint64_t digest_of(const HostTensor& d) { return XXH3_64bits(d.bytes.data(), d.bytes.size()); }

}  // namespace assay
