// Rounding of ties in a norm is checked: no other r of the row explains a kernel that rounds ties away from zero or toward zero.
// The diagnosis names the rounding.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "harness/compare/compare.h"
#include "harness/core/cases.h"
#include "harness/diagnosis/diagnose.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

enum class Ties { kEven, kAway, kTowardZero };

/// Rounds an fp32 number to its upper 16 bits with the given tie rule.
uint32_t bf16_code(float y, Ties ties) {
  uint32_t bits = 0;
  std::memcpy(&bits, &y, sizeof bits);
  const uint32_t low = bits & 0xffff, code = bits >> 16;
  if (low != 0x8000) return code + (low > 0x8000);
  return code + (ties == Ties::kAway || (ties == Ties::kEven && code % 2 == 1));
}

float of_bf16(uint32_t code) {
  const uint32_t bits = code << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Outputs of a kernel that computes r with IEEE operations. `rounded_first`: x r is rounded before the multiplication by the
/// weight.
std::vector<HostTensor> outputs_of(const Problem& problem, bool rounded_first, double added, Ties ties) {
  const HostTensor &x = find(problem.tensors, "x"), &gamma = find(problem.tensors, "gamma");
  HostTensor y = find(problem.tensors, "y");
  y.bytes.resize(y.spec.bytes());
  const int64_t m = x.spec.shape[0], n = x.spec.shape[1];
  for (int64_t row = 0; row < m; ++row) {
    double squares = 0;
    for (int64_t j = 0; j < n; ++j) squares += std::pow(double(of_bf16(x.code(row * n + j))), 2);
    const auto r = float(1 / std::sqrt(double(float(squares / double(n)) + 1e-6f)));
    for (int64_t j = 0; j < n; ++j) {
      float h = of_bf16(x.code(row * n + j)) * r;
      if (rounded_first) h = of_bf16(bf16_code(h, ties));
      const float product = h * float(double(of_bf16(gamma.code(j))) + added);
      y.set_code(row * n + j, bf16_code(product, ties));
    }
  }
  return {y};
}

bool accepted(const Op& op, const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs) {
  return compare(op.bind(one)->expect(problem, &outputs), outputs, std::vector<std::vector<ByteRange>>(outputs.size())).agrees();
}

/// Mutants of the first cause, in the contract's notation.
std::vector<std::string> first_cause(const Op& op, const Case& one, const Problem& problem,
                                     const std::vector<HostTensor>& outputs) {
  std::vector<std::string> names;
  const std::vector<Cause> causes = diagnose(*op.bind(one), problem, outputs);
  if (!causes.empty())
    for (const Mistake& mistake : causes.front().mistakes) names.push_back(mistake.name);
  return names;
}

TEST(NormTies, RoundedOtherwiseAreRefused) {
  open_rulebook(ASSAY_SOURCE_DIR);
  int tried = 0;
  for (const Case& one : select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR), {.suites = {"rms_norm/quick"}, .warp = "32"})) {
    const std::string& contract = one.text("contract");
    if (one.text("fill") != "pinned_ties" || one.text("x") != "bf16" || contract.starts_with("aiter.rms_norm_gfx942")) continue;
    const Op& op = shipped_ops().find(one.op);
    const Problem problem = op.bind(one)->problem();
    const bool rounded_first = contract == "vllm.rms_norm@v0.19.1" || contract == "vllm.ir_rms_norm" || contract == "aiter.opus_t5_rms_norm";
    const double added = contract.find("gemma") == std::string::npos ? 0 : 1;
    const auto passes = [&](Ties ties) { return accepted(op, one, problem, outputs_of(problem, rounded_first, added, ties)); };
    EXPECT_TRUE(passes(Ties::kEven)) << one.id;
    EXPECT_FALSE(passes(Ties::kAway)) << one.id;
    EXPECT_FALSE(passes(Ties::kTowardZero)) << one.id;
    EXPECT_THAT(first_cause(op, one, problem, outputs_of(problem, rounded_first, added, Ties::kAway)),
                testing::ElementsAre(testing::EndsWith(" -> to(x,rna)")))
        << one.id;
    ++tried;
  }
  EXPECT_EQ(tried, 14);
}

}  // namespace
}  // namespace assay
