// Mistakes that tolerances accept are detected at every hidden size of the tables: a kernel that ignores the variance, eps in
// the wrong place, and one rounding more or less.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/core/cases.h"
#include "harness/diagnosis/visibility.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rows/cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

const std::set<std::string> kNorms = {"rms_norm", "fused_add_rms_norm", "rms_norm_quant_group", "rms_norm_quant_static"};

/// One case for each contract, format and hidden size of the norm tables, with few rows.
std::vector<Case> cases_of_sizes() {
  open_rulebook(ASSAY_SOURCE_DIR);
  std::vector<Case> all;
  std::set<std::string> seen;
  for (Case& c : load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR)) {
    if (!kNorms.contains(c.op) || c.integer("n") < 7) continue;  // a row of one number shows little: its output is its sign
    if (!seen.insert(c.op + c.text("contract") + c.text("x") + "/" + c.text("n")).second) continue;
    c.parameters["m"] = "8";
    const double eps = std::stod(c.text("eps"));
    if (eps > 1e-3 || eps == 0) c.parameters["eps"] = "1e-6";  // in cases whose eps dominates the sum, or is none
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

/// Number of mutants, and names of those that the data do not kill.
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

/// A rounding before `ftz to(x)` only affects products near 2^-126, which other tests cover (generator `tiny`).
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

/// By contract: the unkilled mutants that the table lists with a reason.
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
    if (c.text("x") == "f32" || c.integer("n") < 128) continue;  // f32 has none; eight short rows show too few
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

}  // namespace
}  // namespace assay
