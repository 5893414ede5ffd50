// Relations between the fused pair, the unfused pair and the eager op of AITER's double quantization.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "harness/core/cases.h"
#include "reference/formats/round.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay::double_quant_test {
namespace {

const Op& op() { return shipped_ops().find("rms_norm_double_quant"); }

Case case_of(const std::string& contract, const std::string& view = "no") {
  open_rulebook(ASSAY_SOURCE_DIR);
  for (Case c : load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR)) {
    if (c.op != "rms_norm_double_quant" || c.tier != "quick" || c.text("contract") != contract || c.text("n") != "7168") continue;
    c.parameters["view"] = view;
    return checked_case(op(), c);
  }
  throw std::out_of_range("no case of " + contract);
}

/// The answers of two contracts for the inputs of the first.
struct Pair {
  std::vector<WholePart> first, second;
  const WholePart& of(const std::vector<WholePart>& from, const std::string& name) const {
    return *std::find_if(from.begin(), from.end(), [&](const WholePart& w) { return w.part.tensor == name; });
  }
};

Pair answers(const std::string& a, const std::string& b) {
  const Case one = case_of(a), other = case_of(b);
  const Problem problem = op().bind(one)->problem();
  return {computed(op().bind(one)->expect(problem, nullptr)), computed(op().bind(other)->expect(problem, nullptr))};
}

struct Apart {
  double codes = 0;     ///< share of differing codes
  int most_steps = 0;   ///< largest distance of two codes
  double most = 0;      ///< |s / s' - 1|
  double least = HUGE_VAL, greatest = 0;  ///< s' / s
};

Apart apart(const Pair& pair) {
  Apart found;
  const WholePart &q = pair.of(pair.first, "q"), &other = pair.of(pair.second, "q");
  for (int64_t i = 0; i < q.part.elements(); ++i) {
    const int steps = std::max(q.at(i).low - other.at(i).high, other.at(i).low - q.at(i).high);
    found.codes += steps > 0;
    found.most_steps = std::max(found.most_steps, steps);
  }
  found.codes /= double(q.part.elements());
  const WholePart &s = pair.of(pair.first, "scale"), &t = pair.of(pair.second, "scale");
  for (int64_t i = 0; i < s.part.elements(); ++i) {
    const auto value = [&](const WholePart& of, int32_t o) { return decode(*of.part.format, code_from_ordinal(*of.part.format, o)); };
    const double a = value(s, s.low[size_t(i)]), b = value(t, t.low[size_t(i)]);
    found.most = std::max(found.most, std::fabs(b / a - 1));
    found.least = std::min(found.least, b / a), found.greatest = std::max(found.greatest, b / a);
  }
  return found;
}

constexpr double kFreeUlps = 0x1p-18;  ///< bound on the freedom of a scale through r and two quotients, far above the actual one

TEST(DoubleQuant, FusedAndUnfusedDifferByTheRoundingOfTheNorm) {
  const Apart found = apart(answers("aiter.double_quant_fused", "aiter.double_quant_unfused"));
  EXPECT_GT(found.codes, 0.01);  // measured: 2.2 % on such data
  EXPECT_LT(found.codes, 0.04);
  EXPECT_EQ(found.most_steps, 1);
  EXPECT_LE(found.most, 0x1p-8 + kFreeUlps);  // unit roundoff of bf16
  EXPECT_GT(found.most, 0x1p-10);
}

TEST(DoubleQuant, AStoreThatCutsOffMakesNoScaleLarger) {
  const Apart found = apart(answers("aiter.double_quant_fused_fnuz", "aiter.double_quant_unfused_gfx942"));
  EXPECT_LT(found.codes, 0.04);
  EXPECT_EQ(found.most_steps, 1);
  EXPECT_LE(found.greatest, 1 + kFreeUlps);
  EXPECT_GE(found.least, 1 - 0x1p-7 - kFreeUlps);
}

TEST(DoubleQuant, TheEagerOpRoundsBeforeTheWeightToo) {
  const Apart found = apart(answers("aiter.double_quant_unfused", "aiter.double_quant_eager"));
  EXPECT_GT(found.codes, 0.01);  // measured: 2.6 % of codes and a quarter of the scales
  EXPECT_EQ(found.most_steps, 1);
}

TEST(DoubleQuant, AContractHasNoDifferenceFromItself) {
  const Apart found = apart(answers("aiter.double_quant_fused", "aiter.double_quant_fused"));
  EXPECT_EQ(found.codes, 0);
  EXPECT_EQ(found.most, 0);
}

TEST(DoubleQuant, AViewChangesShapesAndNoNumber) {
  const Case flat = case_of("aiter.double_quant_fused"), seen = case_of("aiter.double_quant_fused", "yes");
  EXPECT_NE(flat.id, seen.id);
  const Problem a = op().bind(flat)->problem(), b = op().bind(seen)->problem();
  EXPECT_EQ(find(b.tensors, "x").spec.shape.size(), 3u);
  EXPECT_EQ(find(b.tensors, "q").spec.shape.size(), 3u);
  EXPECT_EQ(find(b.tensors, "q2").spec.shape.size(), 2u);
  EXPECT_EQ(find(a.tensors, "x").bytes, find(b.tensors, "x").bytes);
  const std::vector<WholePart> of_a = computed(op().bind(flat)->expect(a, nullptr)), of_b = computed(op().bind(seen)->expect(b, nullptr));
  for (size_t p = 0; p < of_a.size(); ++p) EXPECT_EQ(of_a[p].low, of_b[p].low);
}

TEST(DoubleQuant, ConsumersThatDisagreeAreAJointViolation) {
  const Case c = case_of("aiter.double_quant_fused");
  const Problem problem = op().bind(c)->problem();
  std::vector<HostTensor> outputs;
  for (HostTensor tensor : problem.tensors) {
    if (tensor.spec.role != Role::kOutput) continue;
    tensor.bytes.assign(tensor.spec.bytes(), std::byte{0x38});
    outputs.push_back(std::move(tensor));
  }
  const auto violations = [&] {
    std::vector<std::string> found;
    for (const Violation& violation : op().bind(c)->expect(problem, &outputs).together(outputs)) found.push_back(violation.words);
    return found;
  };
  EXPECT_TRUE(violations().empty());
  find(outputs, "q2").bytes[5] = std::byte{0x39};
  EXPECT_EQ(violations(), std::vector<std::string>{"q2 differs from q, first at storage element 5"});
}

}  // namespace
}  // namespace assay::double_quant_test
