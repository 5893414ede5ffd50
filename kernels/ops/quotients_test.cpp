// Compares the fast conversions to codes (two multiplications, packed words) with the plain operations that they replace.
#include "kernels/ops/quant_group/quant_group_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/ops/quant_group/quant_group_contracts.h"

namespace assay_kernels {
namespace {

/// Scales with any mantissa, scales with exact reciprocals, the smallest and largest scales, and non-finite scales.
std::vector<float> scales() {
  std::vector<float> all = {kLeastScale, 1.0f, 0x1p-10f, 0x1p90f, 1.75f, 0x1.fffffep3f, 0x1.000002p-3f, 0x1p127f, INFINITY, NAN};
  std::mt19937 random(3);
  for (int i = 0; i < 60; ++i) all.push_back(simt::from_bits((random() & 0x7fffffu) | (110u + random() % 20u) << 23));
  return all;
}

/// Converts all bf16 values by `steps` and by `codes_of`. Counts the words of four codes that differ.
template <class Steps, class Codes>
int64_t differences(const Steps& steps, const Codes& codes_of) {
  int64_t count = 0;
  for (uint32_t x = 0; x < 0x10000; x += 8) {
    float v[8];
    for (uint32_t i = 0; i < 8; ++i) v[i] = simt::from_bits((x + i) << 16);
    uint32_t right[2], codes[2];
    steps(v, right);
    codes_of(v, codes);
    for (int i = 0; i < 2; ++i) count += codes[i] != right[i];
  }
  return count;
}

TEST(Quotients, CodesByBoundsAreThoseOfTheDivision) {
  static_assert(std::is_same_v<CodesOf<VllmPerToken>, CodesByBounds<ElementThenClamp<VllmPerToken>>>);
  static_assert(std::is_same_v<CodesOf<VllmPerTokenUb>, CodesByElement<VllmPerTokenUb>>, "divides each");
  static_assert(std::is_same_v<CodesOf<VllmPerTokenFnuz>, CodesByElement<VllmPerTokenFnuz>>, "another cast");
  for (const float s : scales()) EXPECT_EQ(differences(CodesByElement<VllmPerToken>(s), CodesOf<VllmPerToken>(s)), 0) << s;
}

TEST(Quotients, CodesByBoundsHoldForAnyScaleThatIsGiven) {
  using Codes = CodesOfQuotients<E4m3fnSat>;
  static_assert(std::is_same_v<Codes, CodesByBounds<simt::DivideEach>>);
  std::vector<float> all = scales();
  for (const float s : {0.0f, 0x1p-149f, 0x1p-128f, 0x1.8p-127f, 0x1p-126f, 0x1.2p-125f, 0x1.fffffep127f}) all.push_back(s);
  for (const float s : all)
    for (const float given : {s, -s})
      EXPECT_EQ(differences(CodesByStep<E4m3fnSat, simt::DivideEach>(given), Codes(given)), 0) << given;
}

TEST(Quotients, CodesByProductsClampOnlyNan) {
  static_assert(std::is_same_v<CodesOf<VllmGroupFp8Packed>, CodesByProduct<ElementThenClamp<VllmGroupFp8Packed>>>);
  int64_t nans = 0;
  for (const float m : scales()) {
    const CodesByElement<VllmGroupFp8Packed> steps(m);
    EXPECT_EQ(differences(steps, CodesOf<VllmGroupFp8Packed>(m)), 0) << m;
    struct NeverClamped {
      float factor;
      explicit NeverClamped(float f) : factor(f) {}
      float operator()(float v) const { return v * factor; }
    };
    nans += differences(steps, CodesByStep<E4m3fnSat, NeverClamped>(m));
  }
  EXPECT_GT(nans, 0) << "the clamp changes NaN to numbers";
}

TEST(Quotients, OneProductAloneIsSeen) {
  struct ByReciprocal {
    float factor;
    void operator()(const float (&v)[8], uint32_t (&codes)[2]) const {
      for (int k = 0; k < 2; ++k) {
        float u[4];
        for (int i = 0; i < 4; ++i) u[i] = VllmPerToken::clamp(v[4 * k + i] * factor);
        codes[k] = E4m3fnSat::encode4(u);
      }
    }
  };
  // x / s can be a tie only if x and s have few enough significant bits: here s has 8 and its reciprocal is not exact.
  int64_t seen = 0;
  for (uint32_t bits = 0x3f80; bits < 0x4000; ++bits) {
    const float s = simt::from_bits(bits << 16);
    const CodesByElement<VllmPerToken> steps(s);
    seen += differences(steps, ByReciprocal{1.0f / s});
    EXPECT_EQ(differences(steps, CodesOf<VllmPerToken>(s)), 0) << s;
  }
  EXPECT_GT(seen, 0);
}

template <class T>
void expect_pairs_as_numbers() {
  std::mt19937 random(4);
  for (int i = 0; i < 200000; ++i) {
    const uint32_t a = random(), b = random();
    const uint32_t product = simt::multiply_pairs<T>(a, b), widest = simt::widest_pairs<T>(a, b);
    for (int shift = 0; shift < 32; shift += 16) {
      const float x = simt::to_float(T{uint16_t(a >> shift)}), y = simt::to_float(T{uint16_t(b >> shift)});
      const float got = simt::to_float(T{uint16_t(product >> shift)}), most = simt::to_float(T{uint16_t(widest >> shift)});
      const float exact = simt::to_float(simt::from_float<T>(x * y));
      ASSERT_TRUE(got == exact || (got != got && exact != exact)) << x << " " << y;
      const float greater = simt::max_number(std::fabs(x), std::fabs(y));
      ASSERT_TRUE(most == greater || (most != most && greater != greater)) << x << " " << y;
    }
  }
}

TEST(Pairs, AreTwoNumbersEach) {
  expect_pairs_as_numbers<simt::Bf16>();
  expect_pairs_as_numbers<simt::F16>();
}

TEST(Widest, FollowsTheRuleOfTheContractForNan) {
  simt::Vector<uint32_t> words[1] = {{{0x3f80c000u, 0x7fc00000u, 0u, 0x40408000u}}};  // 1, -2, NaN, 3
  EXPECT_EQ((widest_of<VllmGroupFp8, simt::Bf16>(words)), 3.0f);
  EXPECT_TRUE(std::isnan((widest_of<VllmGroupNative, simt::Bf16>(words))));
  const float v[4] = {1.0f, -2.0f, NAN, 0.5f};
  EXPECT_EQ(widest_of<VllmGroupFp8>(v), 2.0f);
  EXPECT_EQ((widest_of<VllmGroupFp8>(v, 4.0f)), 4.0f);
}

}  // namespace
}  // namespace assay_kernels
