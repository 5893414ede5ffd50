// Test cases of unknown kernels: default cells with some changes, the results of all member algorithms of a contract, and a check
// that these and their mixtures pass.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/core/expectation.h"
#include "reference/formats/format.h"
#include "suites/gemm/gemm_op.h"
#include "suites/gemm/gemm_case.h"
#include "suites/testing/case_with.h"
#include "suites/testing/outputs_of.h"

namespace assay::unknown_gemm_test {

inline const Op& gemm() { return shipped_op("gemm_scaled"); }

inline const TestCells kUsual = {{"contract", "assay.unknown_fp8_row.sm_90"},
                                 {"m", "4"},
                                 {"n", "24"},
                                 {"k", "416"},
                                 {"fill", "amax_scaled"},
                                 {"b", "amax_scaled"},
                                 {"scales", "token_channel"},
                                 {"scale", "amax_scales"},
                                 {"y", "f32"},
                                 {"bias", ""},
                                 {"seed", "1"},
                                 {"warp", "32"}};

inline Case case_with(const TestCells& cells) { return case_of(gemm(), kUsual, cells); }

/// The results of all member algorithms.
inline std::vector<std::vector<HostTensor>> made_by_members(const GemmCase& c, const Problem& problem) {
  std::vector<std::vector<HostTensor>> all;
  for (const DotContract& member : c.contract.members)
    for (const Answer& answer : expect_product(c, member, problem).any_of) all.push_back(outputs_of(problem, answer));
  return all;
}

/// Expects that each member's results pass, and a mixture of all.
inline void expect_members_and_a_mixture_pass(const Case& one, size_t least, size_t most) {
  const Problem problem = gemm().bind(one)->problem();
  const Expectation expectation = gemm().bind(one)->expect(problem, nullptr);
  const auto made = made_by_members(read_gemm_case(one), problem);
  ASSERT_GE(made.size(), least);
  ASSERT_LE(made.size(), most);
  std::vector<HostTensor> mixture = made[0];
  for (size_t program = 0; program < made.size(); ++program) {
    EXPECT_TRUE(compare(expectation, made[program], {{}}).agrees()) << one.id << " program " << program;
    for (int64_t i = int64_t(program); i < mixture[0].spec.elements(); i += int64_t(made.size()))
      mixture[0].set_code(i, made[program][0].code(i));
  }
  EXPECT_TRUE(compare(expectation, mixture, {{}}).agrees()) << one.id;
}

}  // namespace assay::unknown_gemm_test
