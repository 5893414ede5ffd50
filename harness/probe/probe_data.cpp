#include "harness/probe/probe_data.h"

#include <array>
#include <limits>
#include <stdexcept>
#include <vector>

namespace assay::fills {

void alone(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  const int p = int(tile % i.k);
  const bool whole = i.integers();
  const auto any = [&](const Format& f) {
    return t.number(f, whole ? 0 : f.min_exponent() - f.mantissa_bits - 1, top_exponent(f));
  };
  t.a(p, [&](int) { return any(*i.a); });
  t.b(p, [&](int) { return any(*i.b); });
}

void kept(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  const int p = t.draw().below(i.k), q = (p + 1 + t.draw().below(std::max(1, i.k - 1))) % i.k, s = t.draw().below(i.k);
  const int high = high_product(i) - (tile % 2 == 0 ? 0 : t.draw().below(8));
  const Exponents e = factors_of(i, high);
  const auto rows = size_t(i.m), columns = size_t(i.n);
  std::vector<double> large(rows), other(columns);
  for (double& x : large) x = t.number(*i.a, e.a, e.a);
  for (double& x : other) x = t.number(*i.b, e.b, e.b);
  const bool small_product = tile % 4 != 1, small_c = tile % 4 == 1 || tile % 4 == 2;
  const int reach = t.draw().coin() ? 36 : 48;
  if (small_product && s != p && s != q) {
    t.a(s, [&](int) { return t.number(*i.a, std::max(e.a - reach / 2, bottom_exponent(*i.a)), e.a); });
    t.b(s, [&](int) { return t.number(*i.b, std::max(e.b - reach / 2, bottom_exponent(*i.b)), e.b); });
  }
  t.a(p, [&](int row) { return large[size_t(row)]; });
  t.a(q, [&](int row) { return -large[size_t(row)]; });
  t.b(p, [&](int column) { return other[size_t(column)]; });
  t.b(q, [&](int column) { return other[size_t(column)]; });
  if (small_c) t.c([&] { return t.number(*i.d, high - reach, high); });
}

void ties(TileFill& t, int64_t) {
  const Instruction& i = t.instruction();
  const int p = t.draw().below(i.k), q = t.draw().below(i.k), bits = i.d->mantissa_bits;
  const int high = std::min(high_product(i) + (t.draw().coin() ? bits : 0), top_exponent(*i.d) - 1);
  const int at = high - bits - 1 + t.draw().between(-1, 1);  // about half a unit in c's last place
  const Exponents e = factors_of(i, at), less = factors_of(i, at - 1 - t.draw().below(26));
  t.a(p, [&](int) { return t.power(e.a, e.a + 1); });
  t.b(p, [&](int) { return t.power(e.b - 1, e.b); });
  if (q != p) {
    t.a(q, [&](int) { return t.power(less.a - 1, less.a + 1); });
    t.b(q, [&](int) { return t.power(less.b - 1, less.b + 1); });
  }
  t.c([&] { return t.draw().below(8) == 0 ? t.power(high, high) : t.number(*i.d, high - 1, high); });
}

void wide(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  const int high = high_product(i) - t.draw().below(3), reach = tile % 2 == 0 ? 5 : 12;
  const Exponents e = factors_of(i, high - 4);
  for (int k = 0; k < i.k; ++k) {
    t.a(k, [&](int) { return t.number(*i.a, e.a - reach / 2, e.a); });
    t.b(k, [&](int) { return t.number(*i.b, e.b - reach / 2, e.b); });
  }
  const int of_c = high - t.draw().between(-14, 14);
  if (tile % 4 != 3) t.c([&] { return t.number(*i.d, of_c - 2, std::min(of_c, top_exponent(*i.d) - 1)); });
}

void near_one(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  for (int k = 0; k < i.k; ++k) {
    t.a(k, [&](int) { return t.number(*i.a, -2, 2); });
    t.b(k, [&](int) { return t.number(*i.b, -2, 2); });
  }
  if (tile % 2 == 0) t.c([&] { return t.number(*i.d, -4, 6); });
}

void addend(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  const int high = high_product(i) - (tile % 2 == 0 ? 0 : 20), n = 1 + t.draw().below(3);
  const Exponents e = factors_of(i, std::max(high, bottom_exponent(*i.a) + bottom_exponent(*i.b) + 12));
  for (int j = 0; j < n; ++j) {
    const int k = t.draw().below(i.k);
    t.a(k, [&](int) { return t.number(*i.a, e.a - 6 * j, e.a); });
    t.b(k, [&](int) { return t.number(*i.b, e.b - 6 * j, e.b); });
  }
  t.c([&] { return t.number(*i.d, e.a + e.b - 34, e.a + e.b + 34); });
}

void c_alone(TileFill& t, int64_t) {
  t.c_codes([&](const Format& f) { return finite_code(f, t.draw()); });
}

void tiny(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  const bool few = tile % 2 == 1;
  for (int k = 0; k < i.k; ++k) {
    if (few && t.draw().below(i.k) > 2) continue;
    const auto low = [&](const Format& f) {
      const int about = t.draw().coin() ? f.min_exponent() : f.min_exponent() / 2;
      return t.number(f, about - 4, about + 2);
    };
    t.a(k, [&](int) { return low(*i.a); });
    t.b(k, [&](int) { return low(*i.b); });
  }
  const int least = i.d->min_exponent();
  if (tile % 4 > 1) t.c([&] { return t.draw().below(3) == 0 ? 0.0 : t.number(*i.d, least - i.d->mantissa_bits, least + 3); });
}

void subnormal(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  const int p = t.draw().below(i.k), q = (p + 1 + t.draw().below(std::max(1, i.k - 1))) % i.k;
  const bool of_a = t.draw().coin();
  const auto large = [&](const Format& f, bool is_subnormal) {
    const int least = i.integers() ? 1 : f.min_exponent();
    return is_subnormal ? t.number(f, bottom_exponent(f), least - 1) : t.number(f, top_exponent(f) - 2, top_exponent(f));
  };
  // These products are so small that they are near the last bit that a sum with the large ones keeps.
  const int half = std::min(24, -bottom_exponent(*i.a)), other = std::min(24, -bottom_exponent(*i.b));
  for (int k = 0; k < i.k; ++k) {
    if (tile % 4 == 0 && k != (p + q) / 2) continue;
    t.a(k, [&](int) { return t.number(*i.a, -half, -half / 2); });
    t.b(k, [&](int) { return t.number(*i.b, -other, -other / 2); });
  }
  std::vector<double> rows(size_t(i.m)), columns(size_t(i.n));
  for (double& x : rows) x = large(*i.a, of_a);
  for (double& x : columns) x = large(*i.b, !of_a);
  t.a(p, [&](int row) { return rows[size_t(row)]; });
  t.a(q, [&](int row) { return -rows[size_t(row)]; });
  for (const int k : {p, q}) t.b(k, [&](int column) { return columns[size_t(column)]; });
  if (tile % 2 == 1) t.c([&] { return t.number(*i.d, -half - other - 8, -half / 2); });
}

void least(TileFill& t, int64_t) {
  const Instruction& i = t.instruction();
  const int about = i.d->min_exponent() - i.d->mantissa_bits;
  const Exponents e = factors_of(i, std::max(about, bottom_exponent(*i.a) + bottom_exponent(*i.b) + 8));
  if (i.scale && i.scale->mantissa_bits == 0) t.scales_about((about - e.a - e.b) / 2 - 3, (about - e.a - e.b) / 2 + 3);
  for (int n = 1 + t.draw().below(4); n > 0; --n) {
    const int k = t.draw().below(i.k);
    t.a(k, [&](int) { return t.power(e.a - 8, e.a + 6); });
    t.b(k, [&](int) { return t.power(e.b - 8, e.b + 6); });
  }
}

void zeros(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  const int low_a = std::max(bottom_exponent(*i.a), -40), low_b = std::max(bottom_exponent(*i.b), -40);
  const int ends = t.draw().below(3);
  for (int k = 0; k < i.k; ++k) {
    const int what = t.draw().below(4);
    if (what == 0) t.a(k, [&](int) { return t.power(top_exponent(*i.a) - 20 * ends, top_exponent(*i.a)); });
    if (what == 1) t.b(k, [&](int) { return t.power(top_exponent(*i.b) - 20 * ends, top_exponent(*i.b)); });
    if (what == 2) {
      t.a(k, [&](int) { return t.number(*i.a, low_a, low_a + 2); });
      t.b(k, [&](int) { return t.number(*i.b, low_b, low_b + 2); });
    }
  }
  if (tile % 2 == 1) t.c([&] { return t.number(*i.d, low_a + low_b - 30, low_a + low_b + 2); });
}

void huge(TileFill& t, int64_t tile) {
  const Instruction& i = t.instruction();
  const int end = top_exponent(*i.d);
  const Exponents e = factors_of(i, end - t.draw().below(2));
  const bool beyond = tile % 3 == 2;
  for (int k = 0; k < i.k; ++k) {
    if (k > 0 && t.draw().below(i.k) > 3) continue;
    t.a(k, [&](int) { return t.number(*i.a, e.a - 2, beyond ? top_exponent(*i.a) : e.a + 1); });
    t.b(k, [&](int) { return t.number(*i.b, e.b - 1, beyond ? top_exponent(*i.b) : e.b + 1); });
  }
  if (tile % 2 == 0) t.c([&] { return t.number(*i.d, end - 1, end); });
}

void any_bits(TileFill& t, int64_t tile) {
  t.codes([&](const Format& f) { return finite_code(f, t.draw()); });
  t.c_codes([&](const Format& f) { return tile % 2 == 0 ? finite_code(f, t.draw()) : 0; });
}

void specials(TileFill& t, int64_t tile) {
  const auto value = [&](const Format& f) -> uint32_t {
    const bool rare = t.draw().below(24) != 0;
    if (f.is_integer() || f.specials == Specials::kFinite) return finite_code(f, t.draw());
    const double inf = std::numeric_limits<double>::infinity();
    if (rare) return code_near(f, t.draw().coin() ? 1.0 : 0.0);
    switch (t.draw().below(6)) {
      case 0:
        return f.specials == Specials::kIeee ? code_of(f, t.draw().sign() * inf) : code_of(f, std::nan(""));
      case 1:
        return code_of(f, std::nan("")) | (f.specials == Specials::kIeee && f.mantissa_bits > 1 ? 1u : 0u);
      case 2:
        return code_near(f, t.draw().sign() * max_finite(f));
      case 3:
        return code_near(f, t.draw().sign() * std::ldexp(1.0, bottom_exponent(f)));
      default:
        return f.specials == Specials::kFnuz ? 0u : code_near(f, t.draw().sign() * 0.0);
    }
  };
  t.codes(value);
  if (tile % 2 == 0) t.c_codes(value);
  if (t.instruction().scale && tile % 2 == 1)
    t.scales([&](const Format& f) { return t.draw().below(24) == 0 ? code_of(f, std::nan("")) : code_near(f, 1); });
}

void signs(TileFill& t, int64_t) {
  const auto zero = [&](const Format& f) {
    return f.has_sign() && f.specials == Specials::kIeee ? code_of(f, t.draw().below(3) == 0 ? 0.0 : -0.0) : code_near(f, -0.0);
  };
  const Instruction& i = t.instruction();
  for (int k = 0; k < i.k; ++k) t.b(k, [&](int) { return 1.0; });
  const bool all_minus = t.draw().coin();
  for (int k = 0; k < i.k; ++k) t.a(k, [&](int) { return all_minus || t.draw().below(8) != 0 ? -0.0 : 0.0; });
  t.c_codes(zero);
}

}  // namespace assay::fills

namespace assay {
namespace {

// Inputs for single instructions.

struct Kind {
  ProbeData data;
  void (*fill)(TileFill&, int64_t);
  int low_scale, high_scale;  ///< exponents of random scales, used in two of three tiles
};
constexpr std::array<Kind, 16> kKinds = {{
    {{"alone", "which products have an effect", false}, fills::alone, 0, 0},
    {{"kept", "which bits of a term are kept next to a larger one", false}, fills::kept, -3, 3},
    {{"ties", "how the result is rounded", false}, fills::ties, 0, 0},
    {{"wide", "which products are added together, and in which order", false}, fills::wide, -2, 2},
    {{"near_one", "the exact sum of all terms", false}, fills::near_one, -2, 2},
    {{"addend", "how c is added", false}, fills::addend, -4, 4},
    {{"c_alone", "the precision of c", false}, fills::c_alone, 0, 0},
    {{"tiny", "subnormals", false}, fills::tiny, 0, 0},
    {{"least", "the smallest exponent by which terms are aligned", false}, fills::least, 0, 0},
    {{"zeros", "whether zeros have an exponent", false}, fills::zeros, -6, 6},
    {{"huge", "overflow", false}, fills::huge, 0, 0},
    {{"bits", "all properties at once, because every code is random", false}, fills::any_bits, -20, 20},
    {{"far_scales", "the effect of scales that are far apart", false}, fills::near_one, -40, 40},
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
