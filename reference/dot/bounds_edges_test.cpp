// Units have the models of their rows, and bounds of their error hold for subnormal operands, very long chunks and values that
// are no numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "reference/dot/accumulator_model.h"
#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/dot_bounds.h"
#include "reference/testing/exact_product.h"
#include "reference/testing/units.h"

namespace assay {
namespace {

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

/// M2: one product of a subnormal code has a larger exponent than value; bits of the others are lost below that.
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

/// Beyond 7,710 products that nothing interrupts the error of Hopper's unit may reach its largest exponent: then sums of
/// magnitudes bound it.
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

}  // namespace
}  // namespace assay
