#include "harness/probe/data.h"

#include <array>
#include <stdexcept>

#include "harness/probe/fills.h"

namespace assay {
namespace {

struct Kind {
  ProbeData data;
  void (*fill)(TileFill&, int64_t);
  int low_scale, high_scale;  ///< exponents of random scales, used in two of three tiles
};
constexpr std::array<Kind, 16> kKinds = {{
    {{"alone", "which products count, results of any size", false}, fills::alone, 0, 0},
    {{"kept", "bits that a term keeps below the largest", false}, fills::kept, -3, 3},
    {{"ties", "how the result is rounded", false}, fills::ties, 0, 0},
    {{"wide", "which products meet, and when", false}, fills::wide, -2, 2},
    {{"near_one", "the sum of everything", false}, fills::near_one, -2, 2},
    {{"addend", "how c joins", false}, fills::addend, -4, 4},
    {{"c_alone", "what c is kept in", false}, fills::c_alone, 0, 0},
    {{"tiny", "subnormals", false}, fills::tiny, 0, 0},
    {{"least", "the least exponent", false}, fills::least, 0, 0},
    {{"zeros", "whether zeros have an exponent", false}, fills::zeros, -6, 6},
    {{"huge", "overflow", false}, fills::huge, 0, 0},
    {{"bits", "everything at once", false}, fills::any_bits, -20, 20},
    {{"far_scales", "scales far apart", false}, fills::near_one, -40, 40},
    {{"specials", "NaN, Inf and their products", true}, fills::specials, 0, 0},
    {{"signs", "the sign of a zero", false}, fills::signs, 0, 0},
    {{"subnormal", "the exponent of a subnormal factor", false}, fills::subnormal, 0, 0},
}};

constexpr std::array<ProbeData, kKinds.size()> kData = [] {
  std::array<ProbeData, kKinds.size()> all{};
  for (size_t i = 0; i < all.size(); ++i) all[i] = kKinds[i].data;
  return all;
}();

}  // namespace

std::span<const ProbeData> probe_data() { return kData; }

Tiles probe_tiles(std::string_view name, const Instruction& instruction, int64_t count, uint64_t seed) {
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& one) { return one.data.name == name; });
  if (kind == kKinds.end()) throw std::out_of_range("unknown probe data '" + std::string(name) + "'");
  Draw draw(seed * 1000003 + uint64_t(kind - kKinds.begin()));
  Tiles tiles(instruction, count);
  for (int64_t tile = 0; tile < count; ++tile) {
    tiles.set_unused_bits(draw.bits());
    TileFill one(tiles, tile, draw);
    if (instruction.scale && kind->high_scale != 0 && draw.below(3) != 0) one.scales_about(kind->low_scale, kind->high_scale);
    kind->fill(one, tile);
  }
  return tiles;
}

int64_t mismatches(const Unit& unit, const Observation& seen, int64_t most) {
  int64_t count = 0;
  for (int64_t tile = 0, at = 0; tile < seen.tiles.count() && count <= most; ++tile)
    for (const uint32_t code : seen.tiles.predicted(unit, tile)) count += code != seen.d[size_t(at++)];
  return count;
}

int64_t tiles_for(const Instruction& i, int64_t elements) { return std::max<int64_t>(1, elements / (i.m * i.n)); }

}  // namespace assay
