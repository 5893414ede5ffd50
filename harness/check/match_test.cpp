// Search for the contracts that a dump obeys: a sample that refutes most contracts must not change which contracts are obeyed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/check/judge_tensors.h"
#include "harness/compare/verdict.h"
#include "harness/run/run_case.h"
#include "suites/testing/case_with.h"

namespace assay::match_test {
namespace {

const Op& gemm() { return shipped_op("gemm_scaled"); }

/// A GEMM whose output has a few more elements than are compared without a sample. k is short, so that the elements are cheap.
const TestCells kLarge = {{"contract", "vllm.triton_scaled_mm.sm_90"},
                          {"m", "129"},
                          {"n", "512"},
                          {"k", "64"},
                          {"fill", "amax_scaled"},
                          {"b", "amax_scaled"},
                          {"scales", "token_channel"},
                          {"scale", "amax_scales"},
                          {"y", "bf16"},
                          {"bias", ""},
                          {"seed", "1"},
                          {"warp", "32"}};

DumpedRoles roles_of(const Problem& problem, const HostTensor& d) {
  DumpedRoles roles;
  for (const HostTensor& tensor : problem.tensors) {
    const HostTensor& held = tensor.spec.name == "d" ? d : tensor;
    roles[tensor.spec.name] = {held, "dump.safetensors", tensor.spec.name, std::string(tensor.spec.format->name), false};
  }
  return roles;
}

/// Whether all elements obey the contract, without a sample and without a shortcut.
bool obeys_in_full(const MatchedContract& matched) {
  Verdict verdict = blank_verdict(matched.call.dump.one, "", "");
  judge_outputs(*matched.call.judging, matched.call.problem, matched.call.result, verdict);
  return verdict.outcome == Outcome::kPass;
}

const MatchedContract& of_contract(const MatchedContracts& matched, const std::string& contract) {
  for (const MatchedContract& one : matched.asked)
    if (one.contract == contract) return one;
  throw std::out_of_range(contract + " was not compared");
}

/// The other contracts of sm_90 apply the block scales by one FMA instead of two operations, which changes few bf16 results: none
/// in the sample, so that only a comparison of all elements decides.
TEST(Match, ContractsThatDifferInFewElementsAreDistinguished) {
  const Op& op = shipped_op("gemm_block_scaled");
  TestCells cells = kLarge;
  cells.erase("bias");
  cells["contract"] = "vllm.triton_w8a8_block.sm_90", cells["k"] = "2048", cells["scales"] = "1x128_128x128";
  cells["layout_a"] = cells["layout_b"] = "row", cells["c"] = "", cells["seed"] = "2";
  const auto bound = op.bind(case_of(op, cells, {}));
  const Problem problem = bound->problem();
  const HostTensor d = outputs_of(problem, bound->expect(problem, nullptr).any_of.front())[0];
  const MatchedContracts matched = match_tensors({&op}, roles_of(problem, d), {}, "");
  EXPECT_TRUE(of_contract(matched, "vllm.triton_w8a8_block.sm_90").obeys());
  EXPECT_TRUE(of_contract(matched, "assay.unknown_fp8_1x128_128x128.sm_90").obeys());
  const MatchedContract& other = of_contract(matched, "deepgemm.fp8_gemm_1d2d.sm_90");
  EXPECT_FALSE(other.obeys());
  EXPECT_EQ(other.in_sample(), "") << "the sample refutes it, so this test shows nothing";
  EXPECT_LT(other.outside, 20);
  for (const MatchedContract& one : matched.asked)
    if (one.contract.ends_with(".sm_90") && !one.contract.starts_with("assay.")) {
      EXPECT_EQ(one.obeys(), obeys_in_full(one)) << one.contract;
    }
}

TEST(Match, OneWrongElementOutsideTheSampleIsFound) {
  const auto bound = gemm().bind(case_of(gemm(), kLarge, {}));
  const Problem problem = bound->problem();
  const HostTensor right = outputs_of(problem, bound->expect(problem, nullptr).any_of.front())[0];
  const auto match = [&](const HostTensor& d) { return match_tensors({&gemm()}, roles_of(problem, d), {}, ""); };

  const MatchedContracts whole = match(right);
  for (const MatchedContract& one : whole.asked)
    if (one.contract.ends_with(".sm_90") || one.contract == "aiter.ck_gemm_a8w8.gfx950") {
      EXPECT_EQ(one.obeys(), obeys_in_full(one)) << one.contract;
    }

  const int64_t last = right.spec.elements() - 1;  // in no row of the sample
  HostTensor d = right;
  d.set_code(last, d.code(last) ^ 0x8000);
  const MatchedContracts wrong = match(d);
  for (const char* contract : {"vllm.triton_scaled_mm.sm_90", "assay.unknown_fp8_row.sm_90"}) {
    EXPECT_TRUE(of_contract(whole, contract).obeys()) << contract;
    EXPECT_FALSE(of_contract(wrong, contract).obeys()) << contract;
    EXPECT_EQ(of_contract(wrong, contract).outside, 1) << contract;
    EXPECT_EQ(of_contract(wrong, contract).in_sample(), "") << contract;
  }

  d = right;
  for (int64_t column = 0; column < 512; ++column) d.set_code(column, d.code(column) ^ 0x8000);
  const MatchedContracts wrong_row = match(d);
  const MatchedContract& refuted = of_contract(wrong_row, "assay.unknown_fp8_row.sm_90");
  EXPECT_FALSE(refuted.obeys());
  EXPECT_EQ(refuted.in_sample(), " in 256 of 66048 elements") << "the first 32 columns of 8 rows suffice";
  EXPECT_EQ(refuted.outside, 32);
}

}  // namespace
}  // namespace assay::match_test
