#include "harness/testing/sample_verdicts.h"

#include "harness/compare/compare.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay::testing {

Verdict verdict(Outcome outcome, const std::string& id) {
  Verdict v;
  v.case_id = id;
  v.kernel = "group_fp8";
  v.backend = "cpu";
  v.outcome = outcome;
  v.why = "every quotient lies halfway between two codes";
  v.origin = "suites/quant_group/cases/quick.csv:3";
  v.repro = "assay run --backend cpu --case '" + id + "'";
  v.op = "quant_group";
  v.contract = "vllm.group_fp8";
  v.warp = "32";
  v.seconds = 0.25;
  return v;
}

Element element(std::array<int64_t, 2> at, uint32_t code, uint32_t low, uint32_t high, int64_t ulps) {
  return {at, code, decode(kE4M3Fn, code), low, high, decode(kE4M3Fn, low), decode(kE4M3Fn, high), ulps};
}

Verdict truncating_kernel() {
  Verdict v = verdict(Outcome::kFail);
  TensorFinding q;
  q.name = "q";
  q.format = "e4m3fn";
  q.shape = {2, 256};
  q.elements = 512;
  q.outside = q.toward_zero = 223;
  q.single_code = 512;
  q.worst_ulps = 1;
  q.first = element({0, 2}, 0xd5, 0xd6, 0xd6, 1);
  q.worst = element({1, 7}, 0x55, 0x56, 0x57, -1);
  q.reason = "pinned: one code";
  q.notes = {"truncation for nearest explains 223 of 223 elements"};
  TensorFinding scale;
  scale.name = "scale";
  scale.format = "f32";
  scale.shape = {2, 2};
  scale.elements = 4;
  scale.budget_use = 0.5;
  v.tensors = {q, scale};
  return v;
}

RunResult one_of_each() {
  RunResult result;
  result.verdicts = {verdict(Outcome::kPass, "quant_group/a"), truncating_kernel(), verdict(Outcome::kBroken, "quant_group/b"),
                     verdict(Outcome::kSkip, "quant_group/c"), verdict(Outcome::kUntrusted, "rms_norm/d")};
  result.verdicts[2].message = "wrote outside 'q': 1 byte behind its end <&\"'>, first 0 bytes behind it";
  result.verdicts[3].message = "no kernel for contract vllm.group_fp8";
  result.verdicts[3].offered = false;
  result.verdicts[3].kernel = "";
  result.verdicts[4].op = "rms_norm";
  result.verdicts[4].contract = "vllm.rms_norm";
  result.verdicts[4].warp = "";
  result.verdicts[4].message = "blind to scale dropped";
  return result;
}

RunResult gate_of_each_state() {
  RunResult result;
  result.gate = GateRun{.baseline = "before"};
  const auto add = [&](Verdict v, GateState state, bool passes, const std::string& note) {
    v.case_id = std::string("toy/") + std::to_string(result.verdicts.size());
    v.gate = GateFinding{.state = state, .passes = passes, .note = note};
    result.verdicts.push_back(v);
  };
  add(truncating_kernel(), GateState::kNew, false, "pass in the baseline");
  add(verdict(Outcome::kNotJudged), GateState::kGone, false, "pass in the baseline; no recording has it now");
  add(verdict(Outcome::kBroken), GateState::kKnown, true, "broken in the baseline too");
  add(verdict(Outcome::kPass), GateState::kFixed, true, "fail in the baseline");
  add(verdict(Outcome::kPass), GateState::kChanged, true, "");
  add(verdict(Outcome::kPass), GateState::kSameBits, true, "");
  add(verdict(Outcome::kPass), GateState::kNotInBaseline, true, "");
  result.verdicts[1].message = "gone: " + result.verdicts[1].gate->note;
  result.verdicts[4].gate->changes = {"q [2, 256] e4m3fn: 3 of 512 elements changed"};
  return result;
}

Verdict one_wrong_row() {
  constexpr int64_t kRows = 5, kColumns = 1024;
  const std::vector<int32_t> ones(kRows * kColumns, ordinal_of_value(kE4M3Fn, 1));
  const WholePart expected = whole_part(kE4M3Fn, {kRows, kColumns}, ones, {}, "pinned: one code");
  HostTensor tensor{dense("q", Role::kOutput, kE4M3Fn, {kRows, kColumns}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (int64_t i = 0; i < kRows * kColumns; ++i) tensor.set_code(i, code_of(kE4M3Fn, i / kColumns == 3 ? 2 : 1));
  Verdict v = verdict(Outcome::kFail, "quant_group/<row> & 'three'");
  v.tensors = {compare_part(expected, tensor)};
  v.power = {7, {"scale dropped"}, {data_power(expected)}};
  v.causes = {"explains 1024 of 1024 failing elements: scale: <doubled>"};
  return v;
}

}  // namespace assay::testing
