#include <vector>

#include "harness/probe/fills.h"

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
  const int at = high - bits - 1 + t.draw().between(-1, 1);  // half a unit in c's last place
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

}  // namespace assay::fills
