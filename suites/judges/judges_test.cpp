// Every rule of rules.csv accepts what it must accept and rejects what it must reject, if it rejects anything.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "suites/judges/edited_answers.h"

namespace assay::judges {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Pair {
  const char* rule;
  Answer base;
  Edit accepted, refused;  ///< `refused` is empty if the rule rejects nothing
};

std::vector<Pair> pairs() {
  const Answer one = quantized(1), tiny = quantized(1e-6), small = quantized(0.01), ns = normalised(1);
  return {
      {"vllm_group", one, stepped(8192, 1), stepped(1, 2)},
      {"vllm_group", one, scale_becomes(1.01), scale_becomes(1.03)},
      {"vllm_packed", one, same(), stepped(1, 1)},
      {"vllm_packed", one, scale_becomes(2), padding_changes()},  // packed words are compared as stored
      {"vllm_block", one, stepped(8192, 1), stepped(1, 2)},
      {"vllm_block", one, scale_becomes(1.000005), scale_becomes(1.0001)},
      {"vllm_block_rocm", one, stepped(4, 1), stepped(5, 1)},
      {"vllm_block_rocm", one, same(), stepped(1, 2)},
      {"vllm_fp8", one, scale_becomes(1.000001), stepped(1, 1)},
      {"vllm_static", one, stepped(8192, 1), stepped(1, 2)},
      {"vllm_int8", quantized(1, "int8"), stepped(8192, 1), stepped(1, 2)},
      {"vllm_int8_azp", quantized(1, "int8"), stepped(8192, 2), stepped(1, 3)},
      {"vllm_int8_azp", with_zero_point(5), zero_becomes(6), zero_becomes(7)},
      {"vllm_silu", one, stepped(8192, 1), zeroed(8192)},
      {"vllm_silu", tiny, zeroed(8192), scale_becomes(2e-5)},            // its own scales are so small that zeros pass
      {"vllm_silu", tiny, scale_becomes(4.36e-6), scale_becomes(2e-5)},  // the wrong floor passes too
      {"vllm_silu_masked", one, becomes(40), becomes(64)},
      {"vllm_silu_masked", one, becomes(-20), becomes(-64)},
      {"deepgemm_diff", one, zeroed(16), zeroed(17)},
      {"sglang_group", one, stepped(40, 1), stepped(41, 1)},
      {"sglang_group", quantized(1, "e4m3fn", 4096), stepped(163, 1), stepped(164, 1)},
      {"sglang_group", one, same(), stepped(1, 2)},
      {"sglang_group", one, same(), becomes(-8)},  // its sign test never fires, but the bytes are far apart
      {"sglang_group", quantized(1, "int8"), becomes(127), becomes(-8)},  // compares a tensor with itself
      {"sglang_token", one, scale_becomes(1.0005), stepped(1, 1)},
      {"aiter_quant", one, zeroed(8192), {}},
      {"aiter_quant", one, becomes(kNan), {}},
      {"aiter_quant_red", one, stepped(409, 1), stepped(410, 1)},
      {"aiter_mxfp8", one, stepped(8192, 1), stepped(1, 2)},
      {"aiter_mxfp8", one, same(), scale_becomes(2)},
      {"aiter_flatten", small, zeroed(8192), becomes(24)},
      {"flashinfer_mxfp8", one, same(), stepped(1, 1)},
      {"torchao_sqnr", one, zeroed(80), zeroed(83)},
      {"vllm_norm_quant", small, stepped(8192, 1), scale_becomes(0.010001)},
      {"vllm_norm_quant", small, stepped(1, 1), becomes(20)},
      {"flashinfer_norm_quant", one, zeroed(8192), becomes(18)},
      {"vllm_norm", normalised(0.05), becomes(0.059), becomes(0.062)},
      {"vllm_ir_norm", ns, becomes(1.015625), becomes(1.0234375)},
      {"vllm_ir_norm", normalised(1, "f16"), becomes(1.0009765625), becomes(1.00390625)},
      {"vllm_minimax", ns, becomes(1.05), becomes(1.07)},
      {"flashinfer_norm", normalised(1, "f16"), becomes(1.0009765625), becomes(1.00390625)},
      {"aiter_norm", ns, becomes(0), {}},
      {"aiter_norm_red", ns, stepped(50, 2), stepped(51, 4)},
      {"exact_norm", ns, same(), stepped(1, 1)},
      {"vllm_ranks", ns, becomes(1.015625), becomes(1.0234375)},
      {"vllm_chunked", ns, same(), stepped(1, 1)},
      {"vllm_quick", ns, becomes(3.5), becomes(3.625)},
      {"vllm_quick_variable", ns, same(), stepped(1, 1)},
      {"sglang_ranks", ns, becomes(1.015625), becomes(1.0234375)},
      {"flashinfer_graph", normalised(1, "f16"), becomes(1.0009765625), becomes(1.00390625)},
      {"flashinfer_fusion", ns, becomes(1.796875), becomes(1.8203125)},
      {"flashinfer_fusion", normalised(1, "f16"), becomes(1.0898), becomes(1.0918)},
      {"flashinfer_fusion", with_residual(1), residual_becomes(1.796875), residual_becomes(1.8203125)},
      {"flashinfer_mnnvl", ns, becomes(1.1953125), becomes(1.203125)},
      {"flashinfer_mnnvl", with_residual(1), residual_becomes(1.1953125), residual_becomes(1.203125)},
      {"flashinfer_fp8", ns, becomes(2.09375), becomes(2.109375)},
      {"aiter_quick", ns, becomes(0), {}},
      {"aiter_quick_red", ns, becomes(0), becomes(kNan)},
      {"aiter_quick_red", normalised(100), becomes(25), becomes(0)},
      {"aiter_ranks_red", ns, stepped(50, 2), stepped(51, 4)},
      {"mk1_quick", ns, becomes(1.09375), becomes(1.109375)},
      {"nccl_tests", ns, same(), stepped(1, 1)},
      {"vllm_fused_ranks", ns, becomes(1.03125), becomes(1.046875)},
      {"vllm_minimax_ranks", ns, becomes(1.05), becomes(1.07)},
      {"trtllm_minimax_ranks", ns, becomes(1.390625), becomes(1.4140625)},
      {"vllm_cutlass_fp8", ns, becomes(1.640625), becomes(1.65625)},
      {"vllm_cutlass_int8", ns, becomes(2.09375), becomes(2.109375)},
      {"vllm_block_gemm", ns, same(), becomes(1.0078125)},
      {"torch_scaled_mm", ns, becomes(1.1328125), becomes(1.1484375)},
      {"torch_scaled_mm", normalised(1, "f32"), becomes(1.005), becomes(1.007)},
      {"deepgemm_gemm", ns, becomes(1.03125), becomes(1.0625)},
      {"aiter_gemm", ns, becomes(0), {}},
      {"aiter_gemm_red", ns, stepped(50, 4), stepped(51, 4)},
      {"flashinfer_groupwise", ns, becomes(1.015625), becomes(1.0234375)},
      {"flashinfer_cosine", ns, becomes(8), becomes(-8)},
      {"flashinfer_cosine_grouped", ns, becomes(8), becomes(-8)},
      {"flashinfer_fuzz", ns, becomes(1.0859375), becomes(1.0937)},
      {"ck_gemm", ns, becomes(1.09375), becomes(1.109375)},
      {"cutlass_gemm", ns, same(), stepped(1, 1)},
      {"ck_tile", ns, becomes(1.125), becomes(1.1328125)},
  };
}

TEST(Judges, EachRuleAcceptsAndRefuses) {
  for (const Pair& pair : pairs()) {
    EXPECT_EQ(said(pair.rule, pair.base, pair.accepted), Judgement::kAccepts) << pair.rule;
    if (!pair.refused) continue;
    EXPECT_EQ(said(pair.rule, pair.base, pair.refused), Judgement::kRefuses) << pair.rule;
  }
}

TEST(Judges, EachRuleHasAPairAndOnlyLogsRefuseNothing) {
  for (const Rule& r : rules()) {
    bool accepts = false, refuses = false, logs = true;
    for (const Pair& pair : pairs()) {
      accepts = accepts || r.id == pair.rule;
      refuses = refuses || (r.id == pair.rule && pair.refused);
    }
    for (const auto& part : r.parts)
      for (const Check& check : part) logs = logs && check.measure == "logged";
    EXPECT_TRUE(accepts) << r.id;
    EXPECT_NE(refuses, logs) << r.id;
  }
}

TEST(Judges, ALogAcceptsWhatEachOtherRuleRefuses) {
  for (const Pair& pair : pairs()) {
    if (!pair.refused) continue;
    const char* log = pair.base.scale.format ? "aiter_quant" : "aiter_norm";
    EXPECT_EQ(said(log, pair.base, pair.refused), Judgement::kAccepts);
  }
}

TEST(Judges, NanIsNotCloseToItselfAndItsBitsAreTheSame) {
  Answer nan = quantized(1);
  nan.result = filled("e4m3fn", 8, kNan);
  EXPECT_EQ(said("vllm_group", nan, same()), Judgement::kRefuses);
  EXPECT_EQ(said("vllm_packed", nan, same()), Judgement::kRefuses);
  EXPECT_EQ(said("flashinfer_mxfp8", nan, same()), Judgement::kAccepts);
}

TEST(Judges, TorchEqualTakesMinusZeroForZero) {
  Answer zero = quantized(1);
  zero.result = filled("e4m3fn", 8, 0);
  EXPECT_EQ(said("vllm_packed", zero, becomes(-0.0)), Judgement::kAccepts);
  EXPECT_EQ(said("flashinfer_mxfp8", zero, becomes(-0.0)), Judgement::kRefuses);
}

TEST(Judges, SqnrIsOfAnOpThatQuantizesItsInput) {
  Answer gated = finished(quantized(1));
  gated.input.assign(2 * gated.dequantized.size(), 8);
  EXPECT_EQ(judge(rule("torchao_sqnr"), gated, gated), Judgement::kCannot);
}

TEST(Judges, SomeRulesKnowOneFormat) { EXPECT_EQ(said("sglang_group", quantized(1, "e4m3fnuz"), same()), Judgement::kCannot); }

}  // namespace
}  // namespace assay::judges
