#include <limits>
#include <vector>

#include "harness/probe/fills.h"

namespace assay::fills {

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
  // Exponents far enough below the large products, and near the last bit that is kept beside them.
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
