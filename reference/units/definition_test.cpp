#include "reference/units/definition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "reference/testing/real.h"
#include "reference/testing/units.h"

namespace assay {
namespace {

const Unit& unit(std::string_view id) { return unit_table().find(std::string(id)).unit; }

TEST(UnitDefinition, GivesWhatEveryProbeExpects) {
  for (const UnitProbe& probe : unit_probes())
    EXPECT_EQ(defined_element(unit(probe.unit), {probe.a, probe.b}, probe.c), probe.d)
        << probe.name << " " << probe.unit << ": " << probe.why;
}

/// Each step of a row affects at least one probe: changing the step changes some result.
TEST(UnitDefinition, ProbesSeeAStepThatIsChanged) {
  const auto changed = [](const std::string& id, const std::string& column, const std::string& cell) {
    UnitRow row = unit_table().find(id);
    row.cells[column].text = cell;
    const Unit other = read_unit(row);
    int seen = 0;
    for (const UnitProbe& probe : unit_probes())
      if (probe.unit == id) seen += defined_element(other, {probe.a, probe.b}, probe.c) != probe.d;
    return seen;
  };
  const std::string f16 = "sm_90.mma.f16.f32";
  EXPECT_GT(changed(f16, "sum", "align(24) truncate"), 0);
  EXPECT_GT(changed(f16, "sum", "align(26) truncate"), 0);
  EXPECT_GT(changed(f16, "sum", "align(25) floor"), 0);
  EXPECT_GT(changed(f16, "order", "take(8)"), 0);
  EXPECT_GT(changed(f16, "exponent", "normalized"), 0);
  EXPECT_GT(changed(f16, "round", "rne(23)"), 0);
  EXPECT_GT(changed(f16, "round", "rz(22)"), 0);
  EXPECT_GT(changed(f16, "special", "nan(7fc00000)"), 0);
  EXPECT_GT(changed(f16, "special", "nan(7fffffff) flush"), 0);
  EXPECT_GT(changed("sm_90.mma.bf16.f32", "exponent", "ea+eb zeros least(-133)"), 0);
  EXPECT_GT(changed("sm_90.mma.bf16.f32", "exponent", "ea+eb least(-126)"), 0);
  EXPECT_GT(changed("sm_90.mma.bf16.f32", "special", "nan(7fffffff) inf(128)"), 0);
  EXPECT_GT(changed("sm_90.mma.f16.f16", "exponent", "ea+eb least(-20)"), 0);
  EXPECT_GT(changed("sm_90.mma.e4m3_unpacked.f32", "exponent", "ea+eb"), 0);
  EXPECT_GT(changed("sm_90.mma.e4m3_e5m2.f32", "exponent", "ea+eb"), 0);
  EXPECT_GT(changed("sm_120.mma.e4m3.f32", "exponent", "ea+eb in(f16)"), 0);
  EXPECT_GT(changed("sm_90.mma.e4m3.f32", "order", "take(16)"), 0);
  EXPECT_GT(changed("sm_90.mma.e4m3.f32", "c", "aligned"), 0);
  EXPECT_GT(changed("sm_90.wgmma.e4m3.f32", "order", "take(16)"), 0);
  EXPECT_GT(changed("gfx942.mfma.e4m3fnuz.f32", "sum", "align(24) truncate"), 0);
  EXPECT_GT(changed("gfx942.mfma.e4m3fnuz.f32", "sum", "split(2) align(24) truncate join(24) truncate"), 0);
  EXPECT_GT(changed("gfx942.mfma.e4m3fnuz.f32", "c", "joined(31,24) floor"), 0);
  EXPECT_GT(changed("gfx942.mfma.f16.f32", "c", "joined(31,24) truncate"), 0);
}

/// Sums of small integers over a whole K are exact in every row.
TEST(UnitDefinition, SumsOfSmallIntegersAreExact) {
  std::mt19937 random(3);
  for (const UnitRow& row : unit_table().rows()) {
    if (!row.unit.known()) continue;
    const size_t k = size_t(2 * row.unit.k);
    std::vector<uint32_t> a, b, scales;
    int sum = int(random() % 9);
    const uint32_t c = code_of(*row.unit.d, sum);
    for (size_t i = 0; i < k; ++i) {
      const int x = int(random() % 5) - 2, y = int(random() % 5) - 2;
      a.push_back(code_of(*row.unit.a, x)), b.push_back(code_of(*row.unit.b, y));
      sum += x * y;
    }
    if (row.unit.scale) scales.assign(k / size_t(row.unit.scale_block), code_of(*row.unit.scale, 1));
    EXPECT_EQ(defined_element(row.unit, {a, b, scales, scales}, c), code_of(*row.unit.d, sum)) << row.id;
  }
}

/// Two rows, written again in MPFR: a T-FDPA block with 25 fraction bits, and a tree of f32 additions.
TEST(UnitDefinition, TwoRowsAreWhatTheirFormulasSay) {
  std::mt19937 random(4);
  const auto number = [&](const Format& f) {
    for (;;) {
      const double x = decode(f, uint32_t(random() & 0xffff));
      if (std::isfinite(x) && std::fabs(x) < 1e15) return x;
    }
  };
  const auto exponent = [](double x, int least) { return x == 0 ? -1000 : std::max(std::ilogb(x), least); };
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<double> a, b;
    std::vector<uint32_t> a_codes, b_codes;
    const double c = double(float(number(kBf16) * 0x1.234568p0));
    int largest = std::max(-133, exponent(c, -126));
    for (int i = 0; i < 16; ++i) {
      a.push_back(number(kBf16)), b.push_back(number(kBf16));
      a_codes.push_back(code_of(kBf16, a.back())), b_codes.push_back(code_of(kBf16, b.back()));
      if (a[size_t(i)] != 0 && b[size_t(i)] != 0)
        largest = std::max(largest, exponent(a.back(), -126) + exponent(b.back(), -126));
    }
    const Real step = pow(Real(2), largest - 25);
    Real sum = trunc(Real(c) / step);
    for (size_t i = 0; i < 16; ++i) sum += trunc(Real(a[i]) * Real(b[i]) / step);
    EXPECT_EQ(defined_element(unit("sm_90.mma.bf16.f32"), {a_codes, b_codes}, code_of(kF32, c)),
              code_of(kF32, rounded(kF32, Real(sum * step), MPFR_RNDZ) + 0.0));

    Real chain = c;
    for (size_t i = 0; i < 16; i += 4) {
      const auto product = [&](size_t j) { return Real(a[i + j]) * Real(b[i + j]); };
      const Real low = nearest(kF32, product(0) + product(1)), high = nearest(kF32, product(2) + product(3));
      chain = nearest(kF32, chain + Real(nearest(kF32, low + high)));
    }
    bool normal = std::fabs(c) > 0x1p-100;
    for (size_t i = 0; i < 16; ++i) normal = normal && std::fabs(a[i]) > 0x1p-50 && std::fabs(b[i]) > 0x1p-50;
    if (!normal) continue;
    EXPECT_EQ(defined_element(unit("gfx90a.mfma.bf16_1k.f32"), {a_codes, b_codes}, code_of(kF32, c)),
              code_of(kF32, double(chain)));
  }
}

TEST(UnitDefinition, ScalesMultiplyAndTheirNaNSpoils) {
  const Unit& mx = unit("sm_100.tcgen05.mx_e4m3.f32");
  const uint32_t one = code_of(kE4M3Fn, 1);
  const std::vector<uint32_t> ones(32, one), two = {128}, four = {129}, nan = {255};
  EXPECT_EQ(defined_element(mx, {ones, ones, two, four}, 0), code_of(kF32, 256));
  EXPECT_EQ(defined_element(mx, {ones, ones, nan, four}, 0), 0x7fffffffu);
  const Unit& nv = unit("sm_100.tcgen05.nvf4.f32");
  const std::vector<uint32_t> sixes(64, code_of(kE2M1, 6)),
      scales = {code_of(kUe4M3, 1.125), code_of(kUe4M3, 2), 0, code_of(kUe4M3, 448)}, unit_scales(4, code_of(kUe4M3, 1));
  EXPECT_EQ(defined_element(nv, {sixes, sixes, scales, unit_scales}, 0), code_of(kF32, 16 * 36 * (1.125 + 2 + 448)));
}

TEST(UnitDefinition, NothingIsPredictedForAnUnknownUnit) {
  const Unit& unknown = unit("gfx950.mfma.e4m3.f32");
  EXPECT_FALSE(unknown.known());
  EXPECT_THROW(defined_element(unknown, {}, 0), std::invalid_argument);
  EXPECT_THROW(defined_element(unit("sm_90.mma.f16.f32"), {std::vector<uint32_t>(3), std::vector<uint32_t>(2)}, 0),
               std::invalid_argument);
}

}  // namespace
}  // namespace assay
