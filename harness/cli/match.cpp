#include <fmt/format.h>

#include <map>

#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/core/error.h"
#include "harness/core/glob.h"
#include "harness/core/match.h"
#include "harness/core/run_case.h"
#include "harness/diagnosis/separation.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// How a kernel's outputs fare under one contract, whatever it claims.
struct Score {
  int64_t cases = 0, violated = 0, elements = 0;
  std::string first;  ///< the first case that rules the contract out
};

void judge_under_all(const Op& op, const Case& one, const Problem& problem, const CallResult& result, std::map<std::string, Score>& scores) {
  for (const std::string& contract : rulebook().contracts.ids()) {
    Case other;
    if (!with_contract(op, one, contract, other)) continue;
    Verdict verdict = blank_verdict(other, "", "");
    judge_outputs(op, other, problem, result, verdict);
    Score& score = scores[contract];
    ++score.cases;
    for (const TensorFinding& finding : verdict.tensors) score.elements += finding.outside;
    if (verdict.outcome == Outcome::kPass) continue;
    if (score.violated++ == 0) score.first = one.id;
  }
}

void print(const std::string& kernel, const std::map<std::string, Score>& scores) {
  fmt::print("{}\n", kernel);
  std::vector<std::pair<std::string, Score>> ranked(scores.begin(), scores.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.second.elements < b.second.elements; });
  for (const auto& [contract, score] : ranked) {
    if (score.violated == 0) fmt::print("  obeys     {:<32} in all {} cases\n", contract, score.cases);
    else fmt::print("  not       {:<32} {} of {} cases, {} elements; ruled out by {}\n", contract, score.violated, score.cases, score.elements, score.first);
  }
}

}  // namespace

int match_verb(const ContractsArguments& arguments) {
  const std::vector<Case> cases = open_cases();
  if (arguments.op.empty()) throw UsageError("contracts match needs --op");
  const Op& op = find_op(arguments.op);
  const Backend backend = open_backend({arguments.backend, false, 60});
  int64_t kernels = 0;
  for (const KernelOffer& kernel : backend.library.kernels) {
    if (kernel.op != op.name || !glob_match(arguments.kernel, kernel.name)) continue;
    ++kernels;
    for (const std::string& claimed : kernel.contracts) {
      std::map<std::string, Score> scores;
      for (const Case& one : cases) {
        if (one.op != op.name || one.tier != "quick" || one.text("contract") != claimed || !why_not_offered(kernel, one).empty()) continue;
        const Problem problem = op.problem(one);
        const CallResult result = backend.call({op.name, claimed, kernel.name, &problem, 1});
        if (result.status == CallStatus::kOk) judge_under_all(op, one, problem, result, scores);
      }
      print(kernel.name + " called as " + claimed, scores);
    }
  }
  if (kernels == 0) throw UsageError("back end " + arguments.backend + " offers no kernel " + arguments.kernel + " of op " + op.name);
  return kAllAsExpected;
}

}  // namespace assay
