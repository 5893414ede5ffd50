// The numbers given to the rules represent the kernel's input, for every scale layout.
#include "suites/judges/answer.h"

#include <gtest/gtest.h>

#include <set>

#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/core/cases.h"
#include "harness/run/match.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay::judges {
namespace {

double noise_to_signal(const Answer& answer) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < answer.input.size(); ++i) {
    const double x = answer.input[i], error = x - answer.dequantized.at(i);
    signal += x * x, noise += error * error;
  }
  return noise / signal;
}

/// Whether a case has ordinary data and computes its own scales.
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

}  // namespace
}  // namespace assay::judges
