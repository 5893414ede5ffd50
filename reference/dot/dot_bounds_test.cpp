// Compares error bounds of GEMMs, and sums of absolute products, with exact values.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/dot_answers.h"
#include "reference/testing/dot_bounds.h"
#include "reference/testing/unit_data.h"

namespace assay {

// Bounds for a tensor core's error, and the exponents to which it aligns, must equal their definition, element by element, for
// the loops of every instruction set. A tensor core that accumulates as its model says must stay within the bounds.

namespace {

using namespace dot_bounds;

/// A model of no real tensor core: it rounds to nearest after every 16 products.
const AccumulatorModel kNearest{.products_per_step = 16,
                                .fraction_bits = 24,
                                .result_bits = 23,
                                .result_to_nearest = true,
                                .chunk = 64,
                                .scales_inside = false};

TEST_P(EverySetOfLoops, BoundsAndExponentsAreThoseOfTheDefinitionAndHoldForTheUnit) {
  std::mt19937_64 random(41);
  struct Setting {
    const AccumulatorModel& model;
    int kind_a, kind_b;
  };
  double sharpest = 0;
  for (const Setting& s : {Setting{hopper(), 3, 4}, Setting{hopper_unpromoted(), 2, 1}, Setting{blackwell(), 6, 6},
                           Setting{kNearest, 3, 2}, Setting{hopper(), 0, 0}}) {
    for (const Format* f : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kInt8}) {
      const int64_t k = 300 + int64_t(random() % 40);
      const OwnedOperand a = operand(*f, 9, k, kDotScaleKinds[s.kind_a], random),
                         b = operand(kE4M3Fn, 67, k, kDotScaleKinds[s.kind_b], random);
      const Bounds got = bounds(a, b, s.model, *kernels);
      for (int64_t i = 0; i < 9; ++i)
        for (int64_t j = 0; j < 67; ++j) {
          const auto place = size_t(i * 67 + j);
          const Defined y = defined(a, i, b, j, s.model);
          ASSERT_EQ(got.exponent[place], y.exponent) << f->name << " " << i << " " << j;
          ASSERT_GE(got.bound[place] * (1 + relative(k)), y.bound) << f->name;
          ASSERT_LE(got.bound[place], y.bound * (1 + relative(k))) << f->name;
          ASSERT_LE(std::fabs(got.value[place] - y.unit), got.bound[place]) << f->name;
          sharpest = std::max(sharpest, std::fabs(got.value[place] - y.unit) / got.bound[place]);
        }
    }
  }
  EXPECT_GT(sharpest, 0.01) << "the units err by a fair part of their bounds";
}

/// Chunks may begin and end anywhere in a panel. The GEMM has more rows and columns than are summed at once.
TEST_P(EverySetOfLoops, ChunksMayBeOfAnySize) {
  std::mt19937_64 random(46);
  for (const int64_t chunk : {32, 64, 96, 256, 512, 640, 0})
    for (const Format* f : {&kE4M3Fn, &kBf16}) {
      const AccumulatorModel model = model_of("sm_90.wgmma.e4m3.f32", chunk);
      const OwnedOperand a = operand(*f, 130, 1300, kDotScaleKinds[0], random),
                         b = operand(kE5M2, 230, 1300, kDotScaleKinds[2], random);
      const Bounds got = bounds(a, b, model, *kernels);
      for (int64_t n = 0; n < 200; ++n) {
        const auto i = int64_t(random() % 130), j = int64_t(random() % 230);
        const auto place = size_t(i * 230 + j);
        const Defined y = defined(a, i, b, j, model);
        ASSERT_EQ(got.exponent[place], y.exponent) << f->name << " " << chunk << " " << i << " " << j;
        ASSERT_GE(got.bound[place] * (1 + relative(1300)), y.bound) << f->name << " " << chunk;
        ASSERT_LE(got.bound[place], y.bound * (1 + relative(1300))) << f->name << " " << chunk;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Bounds, EverySetOfLoops, testing::Values("avx512", "avx2", "scalar"),
                         [](const auto& param_info) { return std::string(param_info.param); });

// The models of tensor cores come from units.csv. Error bounds hold for subnormal operands, very long chunks, NaN and Inf.

using namespace dot_bounds;

TEST(AccumulatorModelOfAUnit, IsItsRow) {
  EXPECT_EQ(hopper().products_per_step, 32);
  EXPECT_EQ(hopper().fraction_bits, 13);
  EXPECT_EQ(hopper().result_bits, 13);
  EXPECT_FALSE(hopper().result_to_nearest || hopper().scales_inside);
  EXPECT_EQ(hopper().chunk, 128);
  EXPECT_EQ(blackwell().fraction_bits, 25);
  EXPECT_EQ(blackwell().result_bits, 23);
  EXPECT_TRUE(blackwell().scales_inside);
  EXPECT_TRUE(model_of("sm_80.mma.f16.f16", 0).result_to_nearest);
  for (const char* unit : {"gfx942.mfma.f16.f32", "gfx90a.mfma.f16.f32", "sm_90.wgmma.int8.int32", "sm_100.tcgen05.nvf4.f32",
                           "gfx950.mfma.f16.f32"})
    EXPECT_FALSE(accumulator_model(unit_table().find(unit).unit, 0)) << unit;
}

/// A product with a subnormal code is aligned as if the code had the exponent of the smallest normal number, which is larger than
/// its own. So the other products lose more bits than the value of the largest product suggests.
TEST(Bounds, HoldForSubnormalOperandsWhereTheLargestProductDoesNotDo) {
  OwnedOperand a = make_operand(kE4M3Fn, 1, 32, kDotScaleKinds[0]), b = make_operand(kE4M3Fn, 1, 32, kDotScaleKinds[0]);
  a.set(0, 0, 0x1p-9), b.set(0, 0, 256);
  for (int64_t i = 1; i < 32; ++i) a.set(0, i, 1.75 * 0x1p-6), b.set(0, i, 0x1p-6);
  const Bounds got = bounds(a, b, hopper(), dot_kernels());
  const double error = std::fabs(got.value[0] - defined(a, 0, b, 0, hopper()).unit), of_unit = 33 * 0x1p-13 + 0x1p-13;
  EXPECT_EQ(got.exponent[0], 2);
  EXPECT_LE(error, got.bound[0]);
  EXPECT_GT(error, of_unit * 0x1p-9 * 256) << "the largest product would bound it too low, as it did";
}

/// With more than 7,710 products and no promotion, the error of Hopper's tensor core may reach the power of two to which it
/// aligns. The bound then comes from norms of the rows.
TEST(Bounds, OfVeryLongChunksComeFromTheNorms) {
  OwnedOperand a = make_operand(kE4M3Fn, 1, 9000, kDotScaleKinds[0]);
  for (int64_t i = 0; i < 9000; ++i) a.set(0, i, 1);
  const Bounds got = bounds(a, a, hopper_unpromoted(), dot_kernels());
  const double of_unit = 282 * (33 * 0x1p-13 + 0x1p-13);
  ASSERT_GT(of_unit, 1);
  EXPECT_GE(got.bound[0], of_unit * 8192);
  EXPECT_LE(got.bound[0], of_unit * 8192 * (1 + relative(9000)));
  EXPECT_LE(std::fabs(got.value[0] - defined(a, 0, a, 0, hopper_unpromoted()).unit), got.bound[0]);
}

TEST(Bounds, AreWhatTheValueIsWhereThatIsNoNumberAndNeedAModelAndWholeBlocks) {
  std::mt19937_64 random(43);
  OwnedOperand a = operand(kE5M2, 2, 256, kDotScaleKinds[3], random), b = operand(kE5M2, 2, 256, kDotScaleKinds[0], random);
  a.set(1, 9, HUGE_VAL), b.set(0, 9, 1), b.set(1, 9, 0);
  const Bounds got = bounds(a, b, hopper(), dot_kernels());
  EXPECT_EQ(got.bound[2], HUGE_VAL);
  EXPECT_TRUE(std::isnan(got.bound[3]) && std::isfinite(got.bound[0]));
  OwnedOperand zero = make_operand(kE4M3Fn, 1, 64, kDotScaleKinds[0]);
  EXPECT_EQ(bounds(zero, zero, hopper(), dot_kernels()).exponent[0], std::numeric_limits<int32_t>::min());
  EXPECT_EQ(bounds(zero, zero, hopper(), dot_kernels()).bound[0], 0);
  EXPECT_THROW(bounds(a, b, hopper_unpromoted(), dot_kernels()), std::invalid_argument)
      << "a scale would change within the chunk";
  std::vector<double> four(4);
  const DotOutputs without{.bound = four};
  EXPECT_THROW(exact_dot({a.operand, b.operand, 256}, {0, 2, 0, 2}, without), std::invalid_argument);
}

TEST(Bounds, AModelChangesNoResult) {
  std::mt19937_64 random(44);
  for (const AccumulatorModel* m : {&hopper(), &blackwell()}) {
    const OwnedOperand a = operand(kE4M3Fn, 30, 520, kDotScaleKinds[m == &hopper() ? 3 : 6], random),
                       b = operand(kE5M2, 70, 520, kDotScaleKinds[0], random);
    std::vector<double> with(2100), without(2100);
    exact_dot({a.operand, b.operand, 520}, {0, 30, 0, 70}, {.rounded = {{&kF32, with}}, .model = *m});
    exact_dot({a.operand, b.operand, 520}, {0, 30, 0, 70}, {.rounded = {{&kF32, without}}});
    EXPECT_EQ(with, without);
  }
}

// Sums of absolute products are rounded upward by at most 2^-14 of their value, with scales on both operands, and for large and
// small values.

using namespace dot_bounds;

TEST_P(EverySetOfLoops, AbsoluteSumsAreRoundedUpwardByLittle) {
  std::mt19937_64 random(42);
  for (const Format* f : {&kE4M3Fn, &kE5M2, &kF16, &kBf16, &kInt8}) {
    for (int kind : {0, 2, 3, 6}) {
      const OwnedOperand a = operand(*f, 5, 700, kDotScaleKinds[kind], random),
                         b = operand(kE4M3Fn, 53, 700, kDotScaleKinds[0], random);
      const Bounds got = bounds(a, b, blackwell(), *kernels);
      for (int64_t i = 0; i < 5; ++i)
        for (int64_t j = 0; j < 53; ++j) {
          double sum = 0;  // exact: all values have few bits
          for (int64_t k = 0; k < 700; ++k) sum += std::fabs(a.value(i, k) * b.value(j, k) * a.scale(i, k));
          ASSERT_GE(got.absolute_sum[size_t(i * 53 + j)], sum) << f->name << " " << kind;
          ASSERT_LE(got.absolute_sum[size_t(i * 53 + j)], sum * (1 + std::ldexp(1.0, -14))) << f->name << " " << kind;
        }
    }
  }
}

/// Runs along k that differ between the scales of a and b, an odd k, and scales that differ by more than the range of f32.
TEST_P(EverySetOfLoops, AbsoluteSumsHoldTheScalesOfBothSides) {
  std::mt19937_64 random(45);
  for (const auto& [kind_a, kind_b] : {std::pair{3, 4}, std::pair{6, 6}, std::pair{5, 3}, std::pair{6, 2}})
    for (const double apart : {1.0, 0x1p-90}) {
      OwnedOperand a = operand(kE5M2, 9, 701, kDotScaleKinds[kind_a], random),
                   b = operand(kE4M3Fn, 53, 701, kDotScaleKinds[kind_b], random);
      if (a.operand.scales.k_per_scale < a.k) a.set_scale(0, 1, apart), a.set_scale(1, 0, 0x1p-3 * apart);
      const std::vector<double> got = bounds(a, b, blackwell(), *kernels).absolute_sum;
      for (int64_t i = 0; i < 9; ++i)
        for (int64_t j = 0; j < 53; ++j) {
          double sum = 0;  // of 701 positive numbers
          for (int64_t k = 0; k < 701; ++k) sum += std::fabs(a.value(i, k) * b.value(j, k) * a.scale(i, k) * b.scale(j, k));
          ASSERT_GE(got[size_t(i * 53 + j)] * (1 + relative(701)), sum) << kind_a << " " << kind_b << " " << apart;
          ASSERT_LE(got[size_t(i * 53 + j)], sum * (1 + std::ldexp(1.0, -14))) << kind_a << " " << kind_b << " " << apart;
        }
    }
}

TEST_P(EverySetOfLoops, NumbersOfAllMagnitudesHaveAbsoluteSums) {
  OwnedOperand a = make_operand(kBf16, 1, 64, kDotScaleKinds[0]), b = make_operand(kBf16, 1, 64, kDotScaleKinds[0]);
  a.set(0, 0, 0x1p-133), b.set(0, 0, 0x1p-133), a.set(0, 40, 0x1p127), b.set(0, 41, -0x1p127);
  const double tiny = bounds(a, b, blackwell(), *kernels).absolute_sum[0];
  EXPECT_GE(tiny, 0x1p-266);
  EXPECT_LE(tiny, 0x1p256 * 0x1p-118) << "beside numbers of 2^128, whose products are all 0";
  b.set(0, 40, -0x1p-133);
  const double sum = bounds(a, b, blackwell(), *kernels).absolute_sum[0];
  EXPECT_GE(sum, 0x1p-6);
  for (int64_t i : {0, 40, 41}) b.set(0, i, i == 0 ? std::nan("") : 0);
  EXPECT_LE(bounds(a, b, blackwell(), *kernels).absolute_sum[0], 0x1p-100) << "what is not finite counts as 0";
}

}  // namespace

}  // namespace assay
