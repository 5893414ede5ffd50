// Generators that target output codes: each code, the midpoints, and one input code next to a midpoint.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

#include "harness/testing/fill_samples.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

using namespace assay::testing;

bool is_halfway(const Format& q, double value) {
  const double magnitude = std::fabs(value);
  for (int32_t o = 0; o < ordinal_of_value(q, max_finite(q)); ++o) {
    if (magnitude == (decode(q, code_from_ordinal(q, o)) + decode(q, code_from_ordinal(q, o + 1))) / 2) return true;
  }
  return false;
}

TEST(Fill, TiesLieHalfwayUnderAPowerOfTwoScale) {
  for (const Format* q : {&kE4M3Fn, &kE4M3Fnuz, &kInt8}) {
    for (const Format* format : {&kBf16, &kF16, &kF32}) {
      const HostTensor tensor = filled("ties", *format, q);
      const std::vector<double> x = values(tensor), amax = amaxes(tensor);
      std::set<double> scales, ties;
      for (size_t i = 0; i < x.size(); ++i) {
        const double scale = amax[i / kGroup] / max_finite(*q);
        ASSERT_EQ(std::exp2(std::ilogb(scale)), scale) << q->name << " in " << format->name;
        scales.insert(scale);
        if (i % kGroup == 0) continue;
        ASSERT_TRUE(is_halfway(*q, x[i] / scale)) << q->name << " in " << format->name << " " << x[i];
        ties.insert(x[i] / scale);
      }
      EXPECT_GE(scales.size(), 4u) << q->name << " in " << format->name;
      const double smallest = next_code(*q, 0, 1) / 2;
      EXPECT_TRUE(ties.contains(smallest) && ties.contains(-smallest)) << "the tie with zero, both signs";
      EXPECT_EQ(ties.size(), 2 * size_t(ordinal_of_value(*q, max_finite(*q)))) << "every tie, both signs";
    }
  }
}

TEST(Fill, TiesRefuseAFormatThatCannotHoldThem) {
  EXPECT_THROW(filled("ties", kE4M3Fn, &kE4M3Fn), std::invalid_argument);
  EXPECT_THROW(filled("ties", kBf16, nullptr), std::invalid_argument);
}

TEST(Fill, NearTiesAreOneCodeBesideATie) {
  const std::vector<double> x = values(filled("near_ties"));
  const std::vector<double> amax = amaxes(filled("near_ties"));
  int above = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (i % kGroup == 0) continue;
    const double scale = amax[i / kGroup] / 448;
    ASSERT_FALSE(is_halfway(kE4M3Fn, x[i] / scale));
    const bool tie_below = is_halfway(kE4M3Fn, next_code(kBf16, x[i], -1) / scale),
               tie_above = is_halfway(kE4M3Fn, next_code(kBf16, x[i], 1) / scale);
    ASSERT_TRUE(tie_below || tie_above);
    above += tie_below;
  }
  EXPECT_GT(above, kRows * kColumns / 3);
}

TEST(Fill, EveryCodeMeetsEveryFiniteCodeAtScaleOne) {
  for (const Format* q : {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kInt8}) {
    const HostTensor tensor = filled("every_code", kF32, q);
    std::set<uint32_t> met;
    for (const double v : values(tensor)) met.insert(code_of(*q, v));
    size_t finite = 0;
    for (uint32_t code = 0; code < 256; ++code) finite += std::isfinite(decode(*q, code));
    EXPECT_EQ(met.size(), finite) << q->name;
    if (*q == kInt8) continue;  // -128 is larger in magnitude than max_finite
    for (const double amax : amaxes(tensor)) EXPECT_EQ(amax, max_finite(*q));
  }
}

}  // namespace
}  // namespace assay
