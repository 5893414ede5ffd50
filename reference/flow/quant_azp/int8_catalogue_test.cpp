// Constant rows, sums beyond int32, ties and NaN: what each int8 quantization makes of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "reference/contracts/rows.h"
#include "reference/flow/row.h"
#include "reference/testing/f32.h"
#include "reference/testing/int8_programs.h"
#include "reference/testing/real.h"

namespace assay::int8_catalogue {
namespace {

using namespace int8_programs;

// ---- special inputs with their known results

RowOutputs of_row(const char* id, Numbers front, double rest = 0) {
  front.resize(128, rest);
  return evaluate_row(bind(tables(), id, kBf16), {front, {}, 0, 128}, nullptr, kBf16);
}

TEST(Int8Catalogue, C0AConstantRowIsUndefinedUpstreamAndExactInTheProposal) {
  for (double c : {3.0, -0.375, 0.0}) {
    const RowOutputs upstream = of_row("vllm.per_token_int8_azp", {}, c), proposed = of_row("assay.per_token_int8_azp", {}, c);
    EXPECT_TRUE(same_number(upstream.scale[0].low, 0.0)) << "the scale is specified";
    EXPECT_TRUE(upstream.zero[0].any() && upstream.q[0].any()) << "what follows from min / 0 is not";
    const double restored = fl(Real(proposed.q[0].low - proposed.zero[0].low) * Real(proposed.scale[0].low));
    EXPECT_TRUE(proposed.q[0].pinned() && round_to(kBf16, restored, Rounding::kNearestEven, Overflow::kSpecial) == c) << c;
  }
  EXPECT_TRUE(of_row("vllm.per_token_int8_azp", {1}, 3).q[0].pinned()) << "two numbers make a range";
}

TEST(Int8Catalogue, C1ASumBeyondInt32Saturates) {
  const auto code = [](double x, double azp) {
    return evaluate_row(bind(tables(), "vllm.static_int8_azp", kBf16), {{x}, {}, 0, 1, HUGE_VAL, {fl(Real("1e-10"))}, {}, {azp}},
                        nullptr, kBf16)
        .q[0]
        .low;
  };
  EXPECT_EQ(code(1, 1), 127) << "a sum that wraps gives -128";
  EXPECT_EQ(code(-1, -1), -128);
  EXPECT_EQ(code(0, 1), 1);
}

TEST(Int8Catalogue, C2HalvesAndNineTenthsTellThreeRoundingsApart) {
  // amax 127 makes the scale 1.
  const Numbers x = {127, 2.5, 3.5, 1.8984375, -2.5, -3.5, -1.8984375};
  const auto codes = [&](const char* id) {
    Numbers all;
    const RowOutputs out = of_row(id, x);
    for (size_t i = 1; i < x.size(); ++i) all.push_back(out.q[i].low == out.q[i].high ? out.q[i].low : -999);
    return all;
  };
  EXPECT_EQ(codes("vllm.group_int8"), (Numbers{2, 3, 1, -2, -3, -1}));
  EXPECT_EQ(codes("vllm.per_token_int8"), (Numbers{2, 4, 2, -2, -4, -2}));
  // The multiplier 127 / 127 may be off by two ulp and the tie then falls either way: away from zero at its upper end.
  const RowOutputs away = of_row("vllm.per_token_int8_triton", x);
  EXPECT_EQ(away.q[1].high, 3);
  EXPECT_EQ(away.q[4].low, -3);
  EXPECT_EQ(away.q[3].low, 2);
}

TEST(Int8Catalogue, ANanIsWhatEachCastMakesOfIt) {
  const double nan = std::nan("");
  EXPECT_EQ(of_row("vllm.group_int8", {127, nan}).q[1].low, -128) << "max drops it for -128";
  EXPECT_EQ(of_row("sglang.group_int8", {127, nan}).q[1].low, -128);
  EXPECT_EQ(of_row("vllm.per_token_int8", {127, nan}).q[1].low, 0) << "PTX ISA, cvt.rni.sat.s8.f32";
  for (const char* id : {"aiter.group_int8", "aiter.per_token_int8", "vllm.per_token_int8_triton", "vllm.per_token_int8_rocm"}) {
    EXPECT_TRUE(of_row(id, {127, nan}).q[1].any()) << id << ": undefined";
    EXPECT_FALSE(of_row(id, {127, nan}).q[2].any()) << id << ": and nothing else is";
  }
  EXPECT_TRUE(of_row("aiter.per_token_int8", {}).q[0].any()) << "a row of zeros: 0 * Inf";
  EXPECT_EQ(of_row("vllm.per_token_int8", {}).q[0].low, 0);
}

}  // namespace
}  // namespace assay::int8_catalogue
