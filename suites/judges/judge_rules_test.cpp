// Each rule accepts and rejects the same outputs as the test of another project from which it is taken.
#include "suites/judges/judge_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/cases.h"
#include "harness/fill/fill.h"
#include "harness/run/run.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "suites/judges/contest.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay::judges {

inline const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = load_rules("suites/judges/rules.csv");
  return all;
}
inline const Rule& rule(const std::string& id) {
  const auto found = std::find_if(rules().begin(), rules().end(), [&](const Rule& r) { return r.id == id; });
  if (found == rules().end()) throw std::out_of_range(id);
  return *found;
}

inline Numbers filled(const char* format, size_t count, double value) {
  const Format& f = *find_format(format);
  return numbers(f, std::vector<uint32_t>(count, nearest_code(f, value)));
}

/// An answer with `count` codes 8 and one scale.
inline Answer quantized(double scale, const char* format = "e4m3fn", size_t count = 8192) {
  Answer answer;
  answer.result = filled(format, count, 8);
  answer.scale = filled("f32", 1, scale);
  answer.scale_storage.assign(16, std::byte{0});
  return answer;
}
inline Answer normalised(double y, const char* format = "bf16") {
  Answer answer;
  answer.result = filled(format, 1000, y);
  return answer;
}

using Edit = std::function<void(Answer&)>;

inline Edit same() {
  return [](Answer&) {};
}
/// Increases the first `count` codes by `steps`.
inline Edit stepped(size_t count, uint32_t steps) {
  return [=](Answer& a) {
    for (size_t i = 0; i < count; ++i) a.result.codes[i] += steps;
  };
}
inline Edit zeroed(size_t count) {
  return [=](Answer& a) { std::fill_n(a.result.codes.begin(), count, 0u); };
}
inline Edit becomes(double value) {
  return [=](Answer& a) { a.result = filled(a.result.format->name.data(), a.result.codes.size(), value); };
}
inline Edit scale_becomes(double value) {
  return [=](Answer& a) { a.scale = filled("f32", 1, value); };
}
inline Answer with_zero_point(double zero) {
  Answer answer = quantized(1, "int8");
  answer.zero = filled("int32", 1, zero);
  return answer;
}
inline Edit zero_becomes(double value) {
  return [=](Answer& a) { a.zero = filled("int32", 1, value); };
}
inline Answer with_residual(double y) {
  Answer answer = normalised(y);
  answer.residual = answer.result;
  return answer;
}
inline Edit residual_becomes(double value) {
  return [=](Answer& a) { a.residual = filled("bf16", a.residual.codes.size(), value); };
}
inline Edit padding_changes() {
  return [](Answer& a) { a.scale_storage.back() = std::byte{0x7f}; };
}

/// Computes values, dequantized values and input again from the codes.
inline Answer finished(Answer a) {
  a.result = numbers(*a.result.format, a.result.codes);
  a.dequantized = a.result.values;
  for (double& v : a.dequantized) v = a.scale.format ? double(float(v) * float(a.scale.values[0])) : v;
  return a;
}
inline Judgement said(const std::string& id, const Answer& base, const Edit& edit) {
  Answer reference = finished(base), kernel = base;
  edit(kernel);
  kernel = finished(kernel);
  reference.input = kernel.input = reference.dequantized;
  return judge(rule(id), kernel, reference);
}

namespace {

// For every scale layout, the dequantized values that rules get are close to the input of the kernel.

double noise_to_signal(const Answer& answer) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < answer.input.size(); ++i) {
    const double x = answer.input[i], error = x - answer.dequantized.at(i);
    signal += x * x, noise += error * error;
  }
  return noise / signal;
}

/// Whether a case has ordinary data, and its scales are computed.
bool is_ordinary(const Case& one) {
  const auto is = [&](const char* column, const char* text) {
    const auto found = one.parameters.find(column);
    return found == one.parameters.end() || found->second == text;
  };
  return is("fill", "normal") && is("scale_ub", "") && is("warp", "64") && one.integer("m") * one.integer("n") <= 1 << 15;
}

TEST(Answer, IsOfNormsAndQuantizationsAndOfNoActivationAlone) {
  open_rulebook(".");
  int compared = 0, left_out = 0;
  for (const Case& one : load_cases(shipped_ops().all(), ".")) {
    if (one.tier != "quick" || (one.op != "act_and_mul" && one.op != "rms_norm" && one.op != "silu_mul_quant_static")) continue;
    const bool activation = one.op == "act_and_mul";
    ASSERT_EQ(is_comparable(shipped_ops().find(one.op).bind(one)->problem()), !activation) << one.id;
    (activation ? left_out : compared) += 1;
  }
  EXPECT_GT(compared, 0);
  EXPECT_GT(left_out, 0);
}

TEST(Answer, HoldsTheNumbersOfAllRanks) {
  open_rulebook(".");
  const Backend cpu = open_in_process(ASSAY_CPU_LIBRARY, "cpu");
  int shifted = 0, with_residual = 0;
  for (const Case& one : load_cases(shipped_ops().all(), ".")) {
    if (one.tier != "quick" || !one.op.starts_with("all_reduce") || one.text("warp") != "64") continue;
    const auto shift = one.parameters.find("shift");
    const bool exact = one.text("fill") == "rank_integers", moved = shift != one.parameters.end() && !shift->second.empty();
    if (!exact && !moved) continue;
    const auto offered = [&](const KernelOffer& kernel) { return why_not_offered(kernel, one).empty(); };
    const auto kernel = std::find_if(cpu.library.kernels.begin(), cpu.library.kernels.end(), offered);
    ASSERT_NE(kernel, cpu.library.kernels.end()) << one.id;
    const Problem problem = shipped_ops().find(one.op).bind(one)->problem();
    ASSERT_TRUE(is_comparable(problem));
    const CallResult result = cpu.call({one.op, one.text("contract"), kernel->name, &problem, 1});
    ASSERT_EQ(result.status, CallStatus::kOk) << one.id;
    const Answer answer = answer_of(one, problem, result.outputs);
    const auto of_one = size_t(problem.tensors.front().spec.elements());
    ASSERT_EQ(answer.result.values.size(), of_one * size_t(problem.ranks)) << one.id;
    for (size_t i = 0; exact && i < of_one && one.op == "all_reduce"; ++i) {
      double sum = 0;
      for (const HostTensor& x : problem.tensors)
        if (x.spec.name == "x") sum += decode(*x.spec.format, x.code(x.spec.offset + int64_t(i)));
      for (int rank = 0; rank < problem.ranks && !one.text("contract").starts_with("quickreduce"); ++rank)
        ASSERT_EQ(answer.result.values[size_t(rank) * of_one + i], sum) << one.id;
    }
    shifted += problem.tensors.front().spec.offset > 0;
    with_residual += !answer.residual.values.empty();
  }
  EXPECT_GT(shifted, 0);
  EXPECT_GT(with_residual, 0);
}

TEST(Answer, StandsForTheInputUnderEveryLayout) {
  open_rulebook(".");
  const Backend cpu = open_in_process(ASSAY_CPU_LIBRARY, "cpu");
  std::set<std::string> layouts;
  for (const Case& one : load_cases(shipped_ops().all(), ".")) {
    if (one.tier != "quick" || (one.op != "quant_group" && one.op != "quant_tile") || !is_ordinary(one)) continue;
    if (one.text("contract").find("fp4") != std::string::npos) continue;  // no rule tests FP4
    for (const KernelOffer& kernel : cpu.library.kernels) {
      if (!why_not_offered(kernel, one).empty()) continue;
      const Problem problem = shipped_ops().find(one.op).bind(one)->problem();
      const CallResult result = cpu.call({one.op, one.text("contract"), kernel.name, &problem, 1});
      ASSERT_EQ(result.status, CallStatus::kOk) << one.id;
      EXPECT_LT(noise_to_signal(answer_of(one, problem, result.outputs)), 0.01) << one.id;
      layouts.insert(one.text("layout"));
    }
  }
  EXPECT_GE(layouts.size(), 4u);
}

// Each rule of rules.csv accepts the first changed answer and rejects the second. Rules that reject nothing have no second.

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Pair {
  const char* rule;
  Answer base;
  Edit accepted, refused;  ///< changes that the rule must accept and reject; `refused` is empty if it rejects nothing
};

std::vector<Pair> pairs() {
  const Answer one = quantized(1), tiny = quantized(1e-6), small = quantized(0.01), ns = normalised(1);
  return {
      {"vllm_group", one, stepped(8192, 1), stepped(1, 2)},
      {"vllm_group", one, scale_becomes(1.01), scale_becomes(1.03)},
      {"vllm_packed", one, same(), stepped(1, 1)},
      {"vllm_packed", one, scale_becomes(2), padding_changes()},  // the rule compares packed words with their padding
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
      {"vllm_silu", tiny, zeroed(8192), scale_becomes(2e-5)},            // the scales are so small that the rule accepts zeros
      {"vllm_silu", tiny, scale_becomes(4.36e-6), scale_becomes(2e-5)},  // it also accepts a wrong lower bound of the scale
      {"vllm_silu_masked", one, becomes(40), becomes(64)},
      {"vllm_silu_masked", one, becomes(-20), becomes(-64)},
      {"deepgemm_diff", one, zeroed(16), zeroed(17)},
      {"sglang_group", one, stepped(40, 1), stepped(41, 1)},
      {"sglang_group", quantized(1, "e4m3fn", 4096), stepped(163, 1), stepped(164, 1)},
      {"sglang_group", one, same(), stepped(1, 2)},
      {"sglang_group", one, same(), becomes(-8)},  // the rule's sign test never fails, but the bytes differ too much
      {"sglang_group", quantized(1, "int8"), becomes(127), becomes(-8)},  // for int8 the rule compares a tensor with itself
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

// Errors: an invalid row of a rules table (with file and line), a fault that Assay misses, a healthy kernel that it rejects, and
// a rule that was never applied.

/// The error of load_rules() for a table with these rows.
std::string complaint_about(const std::string& rows) {
  const std::string file = testing::TempDir() + "judges_rules.csv";
  std::ofstream(file) << "rule,ops,recipe,pairs,part,what,measure,bounds,source,status,why\n" << rows;
  try {
    load_rules(file);
  } catch (const TableError& error) {
    return std::to_string(error.line()) + ":" + std::to_string(error.column()) + " " + error.name() + ": " + error.problem();
  }
  return "";
}

TEST(Rules, AWrongRowIsNamedWithItsPlace) {
  using testing::HasSubstr;
  EXPECT_EQ(complaint_about("a,quant,r,,1,codes,bits,,s,read,w\n"), "");
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,clos,atol=1,s,read,w\n"),
              HasSubstr("2:20 measure: unknown 'clos'; did you mean 'close'"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,close,rtol=1,s,read,w\n"), HasSubstr("2:26 bounds: close needs atol"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,close,atol=x,s,read,w\n"),
              HasSubstr("bounds: 'atol=x': expected name=number"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,bits,atol=1,s,read,w\n"), HasSubstr("bounds: unknown 'atol'"));
  EXPECT_THAT(complaint_about("a,quant,r,,2,codes,bits,,s,read,w\n"), HasSubstr("part: part 2 after 0"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,bits,only=int9,s,read,w\n"), HasSubstr("bounds: 'int9' is not a format"));
  EXPECT_THAT(complaint_about("a,quant,r,a.b,1,codes,bits,,s,read,w\n"),
              HasSubstr("pairs: 'a.b': expected two contracts separated by ~"));
  EXPECT_THAT(complaint_about("a,quants,r,,1,codes,bits,,s,read,w\n"), HasSubstr("ops: unknown 'quants'; did you mean 'quant'"));
  EXPECT_THAT(complaint_about("a,quant,r,,1,codes,bits,,,read,w\n"), HasSubstr("source: expected a value in the first row of a rule"));
}

Entry entry(const std::string& name, bool healthy, int64_t refused) {
  Entry made{{name, healthy, nullptr, {}}, {}};
  made.marks.kind = "quant";
  made.marks.assay = {.cases = 3, .refused = refused};
  for (const Rule& r : rules()) made.marks.on_recipe[r.id][1] = {.cases = 1};
  return made;
}

TEST(Complaints, AMissedFaultAndARefusedHealthyKernel) {
  std::vector<Rule> quant_rules = rules();
  std::erase_if(quant_rules, [](const Rule& r) { return !r.is_for("quant"); });
  EXPECT_TRUE(complaints(quant_rules, {entry("seen", false, 1), entry("well", true, 0)}).empty());
  EXPECT_THAT(complaints(quant_rules, {entry("unseen", false, 0)}), testing::ElementsAre("Assay passes unseen, which is faulty"));
  EXPECT_THAT(complaints(quant_rules, {entry("well", true, 1)}), testing::ElementsAre("Assay fails well, which is correct"));
  EXPECT_EQ(complaints(quant_rules, {}).size(), quant_rules.size());
}

}  // namespace
}  // namespace assay::judges
