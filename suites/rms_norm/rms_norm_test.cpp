// Norms: mistakes that tolerances accept, and ties rounded wrongly, are detected at every hidden size. AITER's double
// quantization: how the fused, the unfused and the eager version differ.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "harness/compare/compare.h"
#include "harness/core/cases.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/visibility.h"
#include "reference/formats/round.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// Mistakes that tolerances accept are detected at every hidden size of the case tables: a kernel that ignores the mean square,
// adds eps in the wrong place, or rounds once too often or too rarely.

const std::set<std::string> kNorms = {"rms_norm", "fused_add_rms_norm", "rms_norm_quant_group", "rms_norm_quant_static"};

/// One case with eight rows for each contract, format and hidden size in the case tables of norms.
std::vector<Case> cases_of_sizes() {
  open_rulebook(ASSAY_SOURCE_DIR);
  std::vector<Case> all;
  std::set<std::string> seen;
  for (Case& c : load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR)) {
    if (!kNorms.contains(c.op) || c.integer("n") < 7) continue;  // the norm of a single element is little more than its sign
    if (!seen.insert(c.op + c.text("contract") + c.text("x") + "/" + c.text("n")).second) continue;
    c.parameters["m"] = "8";
    const double eps = std::stod(c.text("eps"));
    if (eps > 1e-3 || eps == 0) c.parameters["eps"] = "1e-6";  // eps must not be 0, nor dominate the sum
    all.push_back(std::move(c));
  }
  return all;
}

Case with_data(Case c, const char* x, const char* residual) {
  c.parameters["fill"] = x;
  c.parameters["gamma"] = "gamma";
  if (c.parameters.contains("scale")) c.parameters["scale"] = "scales";
  if (c.parameters.contains("residual") && !c.text("residual").empty()) c.parameters["residual"] = residual;
  return c;
}

/// How many mutants were tried, and the names of the survivors.
struct Tried {
  int mistakes = 0;
  std::set<std::string> unseen;
};

template <class Wanted>
Tried try_mistakes(const Case& c, Wanted wanted) {
  const Op& op = shipped_ops().find(c.op);
  const Problem problem = op.bind(c)->problem();
  const std::vector<std::vector<WholePart>> right = {computed(op.bind(c)->expect(problem, nullptr))};
  Tried tried;
  for (const Hypothesis& h : op.bind(c)->mutants()) {
    if (!wanted(h.name) || !h.equivalent.empty()) continue;
    ++tried.mistakes;
    if (!tells_apart(right, h.expect(problem, nullptr).any_of.front())) tried.unseen.insert(h.name);
  }
  return tried;
}

std::string place(const Case& c) { return c.op + " " + c.text("contract") + " " + c.text("x") + " n " + c.text("n"); }

TEST(NormSizes, AKernelThatIgnoresTheVarianceIsSeen) {
  for (const Case& c : cases_of_sizes()) {
    const Tried tried =
        try_mistakes(with_data(c, "normal", "normal"), [](const std::string& name) { return name == "sum: ignores the data"; });
    EXPECT_EQ(tried.mistakes, 1) << place(c);
    EXPECT_EQ(tried.unseen, std::set<std::string>()) << place(c);
  }
}

TEST(NormSizes, EpsInAnotherPlaceIsSeen) {
  for (const Case& c : cases_of_sizes()) {
    const Tried tried = try_mistakes(with_data(c, "eps_dominated", "zeros"), [](const std::string& name) {
      return name.starts_with("r: ") && name.find("eps") != std::string::npos;
    });
    EXPECT_GE(tried.mistakes, 4) << place(c);
    EXPECT_EQ(tried.unseen, std::set<std::string>()) << place(c);
  }
}

/// Whether the mutant rounds before `ftz to(x)`. This changes only products near 2^-126, which the generator `tiny` covers.
bool is_rounded_behind_a_flush(const Case& c, const std::string& mistake) {
  const std::string before = "y: to(x) after ";
  if (!mistake.starts_with(before)) return false;
  for (const std::string& link : chain_of(rulebook().contracts.find(c.text("contract")))) {
    const auto& cells = rulebook().contracts.find(link).cells;
    const auto y = cells.find("y");
    if (y != cells.end() && y->second.text.find(mistake.substr(before.size()) + " ftz to(") != std::string::npos) return true;
  }
  return false;
}

/// For each contract: the surviving mutants that unseen.csv lists with a reason.
std::map<std::string, std::set<std::string>> unseen_mistakes() {
  const Table table = read_table(std::string(ASSAY_SOURCE_DIR) + "/suites/unseen.csv");
  std::map<std::string, std::set<std::string>> unseen;
  for (const TableRow& row : table.rows)
    for (const std::string& contract : alternatives_of(table.text(row, "contract")))
      unseen[contract].insert(table.text(row, "fault"));
  return unseen;
}

TEST(NormSizes, OneRoundingMoreOrLessIsSeen) {
  auto unseen = unseen_mistakes();
  for (const Case& c : cases_of_sizes()) {
    if (c.text("x") == "f32" || c.integer("n") < 128) continue;  // fp32 has no such ties; eight short rows have too few
    int excused = 0;
    const Tried tried = try_mistakes(with_data(c, "normal", "normal"), [&](const std::string& name) {
      const bool hidden = is_rounded_behind_a_flush(c, name) || unseen[c.text("contract")].contains(name);
      excused += hidden;
      return !hidden && (name.starts_with("y: to(x) after") || name.starts_with("y: drop to(x)"));
    });
    EXPECT_GE(tried.mistakes + excused, 1) << place(c);
    EXPECT_EQ(tried.unseen, std::set<std::string>()) << place(c);
  }
}

TEST(NormSizes, DataOfZerosWouldShowNoneOfThem) {
  const Case c = with_data(cases_of_sizes().front(), "zeros", "zeros");
  EXPECT_EQ(try_mistakes(c, [](const std::string& name) { return name == "sum: ignores the data"; }).unseen.size(), 1u);
}

// Kernels that round ties away from zero or toward zero fail, because no other r explains all elements of a row. The diagnosis
// names the rounding.

enum class Ties { kEven, kAway, kTowardZero };

/// Rounds an fp32 number to bf16, its upper 16 bits, with this rule for ties.
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

/// The outputs of a kernel that computes r with IEEE operations. `rounded_first`: the kernel rounds x * r before it multiplies by
/// the weight. `added`: a number that the kernel adds to gamma.
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

/// The mutants that make up the first cause, in the notation of contracts.
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
  for (const Case& one :
       select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR), {.suites = {"rms_norm/quick"}, .warp = "32"})) {
    const std::string& contract = one.text("contract");
    if (one.integer("m") == 0 || one.text("fill") != "pinned_ties" || one.text("x") != "bf16" ||
        contract.starts_with("aiter.rms_norm_gfx942"))
      continue;
    const Op& op = shipped_ops().find(one.op);
    const Problem problem = op.bind(one)->problem();
    const bool rounded_first =
        contract == "vllm.rms_norm@v0.19.1" || contract == "vllm.ir_rms_norm" || contract == "aiter.opus_t5_rms_norm";
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

/// The accepted outputs of two contracts for the same inputs.
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
  double codes = 0;     ///< share of the codes that differ
  int most_steps = 0;   ///< largest distance, in codes
  double most = 0;      ///< largest |s / s' - 1| of the scales s and s'
  double least = HUGE_VAL, greatest = 0;  ///< range of s' / s
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
    const auto value = [&](const WholePart& of, int32_t o) {
      return decode(*of.part.format, code_from_ordinal(*of.part.format, o));
    };
    const double a = value(s, s.low[size_t(i)]), b = value(t, t.low[size_t(i)]);
    found.most = std::max(found.most, std::fabs(b / a - 1));
    found.least = std::min(found.least, b / a), found.greatest = std::max(found.greatest, b / a);
  }
  return found;
}

constexpr double kFreeUlps = 0x1p-18;  ///< bound of a scale's relative error that comes from errors of r and of two quotients

TEST(DoubleQuant, FusedAndUnfusedDifferByTheRoundingOfTheNorm) {
  const Apart found = apart(answers("aiter.double_quant_fused", "aiter.double_quant_unfused"));
  EXPECT_GT(found.codes, 0.01);  // measured: 2.2 % on such data
  EXPECT_LT(found.codes, 0.04);
  EXPECT_EQ(found.most_steps, 1);
  EXPECT_LE(found.most, 0x1p-8 + kFreeUlps);  // 2^-8 is the unit roundoff of bf16
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
  const std::vector<WholePart> of_a = computed(op().bind(flat)->expect(a, nullptr)),
                               of_b = computed(op().bind(seen)->expect(b, nullptr));
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
