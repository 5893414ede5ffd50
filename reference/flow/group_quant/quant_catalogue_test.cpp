// Results of each quantization for zeros, signs, tiny and huge numbers, NaN and Inf.
#include <gtest/gtest.h>

#include "reference/contracts/rows.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/flow/row.h"
#include "reference/testing/f32.h"
#include "reference/testing/quant_programs.h"
#include "reference/testing/real.h"

namespace assay::quant_catalogue {
namespace {

using namespace quant_programs;

constexpr char kG[] = "vllm.group_fp8", kP[] = "vllm.group_fp8_packed", kT[] = "vllm.group_triton_ue8m0", kK[] = "vllm.per_token";

struct Answer {
  RowOutputs out;
  uint32_t scale_bits() const { return out.scale[0].pinned() ? code_of(kF32, out.scale[0].low) : 0xdeadbeef; }
  uint32_t byte() const {
    if (!out.scale[0].pinned()) return 0xdead;
    return code_of(kE8M0, std::isinf(out.scale[0].low) ? std::nan("") : out.scale[0].low);
  }
  uint32_t code(size_t i, const Format& f = kE4M3Fn) const { return out.q[i].pinned() ? code_of(f, out.q[i].low) : 0xdead; }
};

/// One group of 128 zeros with the given numbers in front.
Answer answer(const char* id, std::vector<double> front) {
  front.resize(128, 0.0);
  return {evaluated(id, front, 128)};
}

TEST(QuantCatalogue, Z0AGroupOfZeros) {
  EXPECT_EQ(answer(kG, {}).scale_bits(), 0x2A7B5123u);
  EXPECT_EQ(answer(kG, {}).code(0), 0u);
  EXPECT_EQ(answer(kP, {}).byte(), 94u);
  EXPECT_EQ(answer(kT, {}).byte(), 85u);
  EXPECT_EQ(answer(kK, {}).scale_bits(), 0x36924925u);
  EXPECT_EQ(answer(kK, {}).code(127), 0u);
  EXPECT_EQ(answer("deepgemm.per_token_cast_ue8m0", {}).byte(), 105u);
  EXPECT_EQ(answer("vllm.group_fp8_ue8m0", {}).byte(), 94u);
  EXPECT_NE(answer(kP, {1}).byte(), 94u) << "the floor holds for quiet groups only";
}

TEST(QuantCatalogue, Z1AndZ2SignsOfZero) {
  for (const char* id : {kG, kP, kK}) {
    EXPECT_EQ(answer(id, {448, -0.0}).code(1), 0x80u) << id;
    EXPECT_EQ(answer(id, {448, -0x1p-20}).code(1), 0x80u) << id;
    EXPECT_EQ(answer(id, {448, 0.0}).code(1), 0x00u) << id;
  }
  EXPECT_EQ(answer("vllm.group_fp8_fnuz", {224, -0.0}).code(1, kE4M3Fnuz), 0x00u);
  EXPECT_EQ(answer("vllm.group_fp8_fnuz", {224, -0x1p-20}).code(1, kE4M3Fnuz), 0x00u);
  EXPECT_EQ(answer("vllm.group_fp8_fnuz", {224, -1}).code(1, kE4M3Fnuz), code_of(kE4M3Fnuz, -1));
}

TEST(QuantCatalogue, P0ToP4AmaxAtTheEdges) {
  EXPECT_EQ(answer(kG, {448}).scale_bits(), 0x3F800000u);
  EXPECT_EQ(answer(kP, {448}).byte(), 127u);
  EXPECT_EQ(answer(kP, {450}).byte(), 128u);
  EXPECT_EQ(answer(kG, {224}).out.scale[0].low, 0.5);
  EXPECT_EQ(answer(kP, {224}).byte(), 126u);
  const double quiet = nearest(kBf16, Real("1e-9"));
  EXPECT_EQ(answer(kP, {quiet}).byte(), 94u);
  EXPECT_EQ(answer(kT, {quiet}).byte(), 89u);
  EXPECT_EQ(answer("deepgemm.per_token_cast_ue8m0", {quiet}).byte(), 105u);
  const double below = next_down(kBf16, 0x1p-9), above = next_up(kBf16, 0x1p-9);
  EXPECT_EQ(answer(kK, {below}).scale_bits(), 0x36924925u);
  EXPECT_NE(answer(kK, {above}).scale_bits(), 0x36924925u);
  EXPECT_EQ(answer(kG, {below}).out.scale[0].low, fl(Real(below) / 448));
}

TEST(QuantCatalogue, N0ANanIsLaunderedAsTheClampSays) {
  const double nan = std::nan("");
  EXPECT_EQ(answer(kG, {448, nan}).code(1), 0xfeu);
  EXPECT_EQ(answer(kP, {448, nan}).code(1), 0xfeu);
  EXPECT_EQ(answer(kK, {448, nan}).code(1), 0x7eu);
  EXPECT_EQ(answer("sglang.group_8bit", {448, nan}).code(1), 0x7fu);
  EXPECT_EQ(answer("aiter.per_1x128", {448, nan}).code(1), 0xfeu);
  EXPECT_EQ(answer(kG, {448, nan}).scale_bits(), 0x3F800000u) << "and amax drops it";
  for (size_t i : {0, 1, 127})
    EXPECT_EQ(answer("deepgemm.per_token_cast", {448, nan}).code(i), 0x7fu) << "torch keeps it: all NaN";
}

TEST(QuantCatalogue, I0OneInfinity) {
  for (const char* id : {kG, kP}) {
    const Answer a = answer(id, {1, HUGE_VAL, -3});
    EXPECT_EQ(a.out.scale[0].low, HUGE_VAL) << id;
    EXPECT_EQ(a.code(0), 0x00u) << id;
    EXPECT_EQ(a.code(1), 0xfeu) << id;
    EXPECT_EQ(a.code(2), 0x80u) << id;
  }
  EXPECT_EQ(answer(kP, {1, HUGE_VAL}).byte(), 255u);
  EXPECT_NE(answer(kP, {1}).byte(), 255u);
}

TEST(QuantCatalogue, W0NeighbouringGroupsKeepTheirOwnAmax) {
  std::vector<double> row(256, 0.0);
  row[5] = 1, row[200] = 448;
  const RowOutputs out = evaluated(kG, row, 128);
  EXPECT_EQ(code_of(kF32, out.scale[0].low), 0x3B124925u);
  EXPECT_EQ(out.scale[1].low, 1);
  EXPECT_EQ(evaluated(kG, row, 256).scale[0].low, 1) << "one group of both would hide the smaller";
}

TEST(QuantCatalogue, R0AProductOnATieTellsTheOrderOfTheSteps) {
  int exact = 0, above = 0, free = 0;
  for (int mantissa = 128; mantissa < 256; mantissa += 8) {
    const double amax = mantissa, x = 0.375 * amax;  // x 448 / amax is 168, halfway between 160 and 176
    const uint32_t code = answer(kG, {amax, x}).code(1);
    EXPECT_EQ(code, group_fp8({amax, x}).codes[1]);
    EXPECT_TRUE(code == 0x72 || code == 0x73);
    (code == 0x72 ? exact : above) += 1;
    EXPECT_EQ(answer(kP, {amax, 0}).out.q[0].pinned(), true);
    const Span either = answer("sglang.group_8bit", {amax, x}).out.q[1];
    EXPECT_TRUE(either.low <= 160 && 160 <= either.high);
    free += either.low == 160 && either.high == 176;
  }
  EXPECT_GT(exact, 0);
  EXPECT_GT(above, 0) << "the quotient lands one ulp above the tie for some amax";
  EXPECT_GT(free, 0) << "within 2 ulp of fast division both codes are legal";
}

}  // namespace
}  // namespace assay::quant_catalogue
