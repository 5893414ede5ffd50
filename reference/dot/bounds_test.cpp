// Bounds of a unit's error and the exponents that it aligns to are those of the definition, element by element, on every set of
// loops; a unit that adds as its model says stays within them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>

#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/dot_bounds.h"
#include "reference/testing/exact_product.h"

namespace assay {
namespace {

using namespace dot_bounds;

/// A model of no unit, which rounds to nearest after every 16.
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

/// Chunks that begin and end anywhere in what is packed together, in a product of more rows and columns than are summed at once.
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

}  // namespace
}  // namespace assay
