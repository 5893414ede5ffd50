// assay contracts match: finds the contracts that a kernel's outputs obey, whatever the kernel advertises.
#include "harness/run/match.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "harness/cli/cases_of_ops.h"
#include "harness/cli/ending.h"
#include "harness/cli/offers.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/programs.h"
#include "harness/diagnosis/separation.h"
#include "harness/run/judge_outputs.h"
#include "harness/run/run_case.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/text/printable.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// A kernel that hangs in this many consecutive cases is not called again.
constexpr int kMostHangs = 2;

/// Result of a kernel's outputs under one contract.
struct Score {
  int64_t cases = 0, violated = 0, elements = 0;
  std::string first;  ///< the first case that rules the contract out
};

/// Results of one kernel, called under one contract.
struct Tally {
  std::map<std::string, Score> scores;
  ProgramTally programs;
  std::map<std::string, int64_t> silent;   ///< number of cases without outputs, by reason
  std::map<std::string, int64_t> refused;  ///< number of cases that the library refused, by its message
  int64_t cases = 0, answered = 0;
  bool device_lost = false;

  int64_t unseen() const {
    int64_t all = 0;
    for (const auto& [reason, count] : silent) all += count;
    return all;
  }
};

/// Whether two problems are the same call: tensors, layouts and parameters.
bool same_call(const Problem& a, const Problem& b) {
  if (a.tensors.size() != b.tensors.size() || a.parameters != b.parameters) return false;
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    const TensorSpec &x = a.tensors[i].spec, &y = b.tensors[i].spec;
    if (x.name != y.name || x.role != y.role || !(*x.format == *y.format) || x.shape != y.shape || x.strides != y.strides ||
        x.storage != y.storage || x.offset != y.offset || a.tensors[i].bytes.empty() != b.tensors[i].bytes.empty())
      return false;
  }
  return true;
}

/// The case under another contract if that contract has the same tensors; otherwise null.
std::unique_ptr<const BoundCase> comparable(const Op& op, const Case& one, const Problem& problem, const std::string& contract) {
  std::unique_ptr<const BoundCase> other = under_contract(op, one, contract);
  const bool same = other && (contract == one.text("contract") || same_call(problem, other->problem()));
  return same ? std::move(other) : nullptr;
}

void judge_under_all(const Op& op, const Case& one, const Problem& problem, const CallResult& result, Tally& tally) {
  for (const std::string& contract : rulebook().contract_ids()) {
    const std::unique_ptr<const BoundCase> other = comparable(op, one, problem, contract);
    if (!other) continue;
    Verdict verdict = blank_verdict(one, "", "");
    judge_outputs(*other, problem, result, verdict);
    Score& score = tally.scores[contract];
    ++score.cases;
    for (const TensorFinding& finding : verdict.tensors) score.elements += finding.outside;
    if (verdict.outcome == Outcome::kPass) continue;
    if (score.violated++ == 0) score.first = one.id;
  }
}

/// A progress line, overwritten in place; only on a terminal.
class Progress {
 public:
  void step(const std::string& kernel, size_t done, size_t cases) const {
    if (shown_) std::fprintf(stderr, "\r\033[K%s: case %zu of %zu", kernel.c_str(), done, cases);
  }
  void clear() const {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }

 private:
  bool shown_ = ::isatty(STDERR_FILENO) == 1;
};

Tally tally_of(const Op& op, const std::vector<const Case*>& cases, const KernelOffer& kernel, const std::string& claimed,
               const Backend& backend, const Progress& progress) {
  Tally tally;
  int hangs = 0;
  for (const Case* one : cases) {
    progress.step(kernel.name, size_t(++tally.cases), cases.size());
    if (ended_by() != nullptr) {
      ++tally.silent[std::string("not called: ended by ") + ended_by()];
      continue;
    }
    if (hangs == kMostHangs) {
      ++tally.silent[fmt::format("not called: the kernel hung {} times in a row", kMostHangs)];
      continue;
    }
    const std::unique_ptr<const BoundCase> bound = op.bind(*one);
    const Problem problem = bound->problem();
    CallResult result = backend.call({op.name, claimed, kernel.name, &problem, 1});
    result.said = {};  // the algorithm variants of one contract mean nothing to another
    hangs = result.status == CallStatus::kBroken && result.message.starts_with("hung") ? hangs + 1 : 0;
    tally.device_lost |= result.status == CallStatus::kDeviceLost;
    if (result.status == CallStatus::kUnsupported) {
      ++tally.refused[result.message];
    } else if (result.status != CallStatus::kOk) {
      ++tally.silent[result.message];
    } else {
      ++tally.answered;
      judge_under_all(op, *one, problem, result, tally);
      if (const Expectation programs = bound->programs(problem); !programs.any_of.empty())
        tally.programs.add(programs_that_made(programs, result.outputs), one->id);
    }
  }
  progress.clear();
  return tally;
}

void print(const std::string& title, const Op& op, const Tally& tally) {
  fmt::print("{}\n", title);
  std::vector<std::pair<std::string, Score>> ranked(tally.scores.begin(), tally.scores.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second.violated > 0, a.second.elements) < std::pair(b.second.violated > 0, b.second.elements);
  });
  const int64_t unseen = tally.unseen();
  for (const auto& [contract, score] : ranked) {
    if (score.violated > 0) {
      fmt::print("  not       {:<32} {} of {} cases, {} elements; ruled out by {}\n", contract, score.violated, score.cases,
                 score.elements, score.first);
    } else if (unseen > 0) {
      fmt::print("  perhaps   {:<32} in {} cases; {} cases gave no outputs\n", contract, score.cases, unseen);
    } else {
      fmt::print("  obeys     {:<32} in all {} cases\n", contract, score.cases);
    }
  }
  for (const std::string& line : tally.programs.lines()) fmt::print("  {}\n", line);
  if (tally.programs.unexplained() && !op.untried.empty()) fmt::print("  not tried {}\n", op.untried);
  for (const auto& [reason, count] : tally.silent)
    fmt::print("  no answer {:>5} of {} cases: {}\n", count, tally.cases, printable(reason));
  for (const auto& [reason, count] : tally.refused)
    fmt::print("  skipped   {:>5} of {} cases: {}\n", count, tally.cases, printable(reason));
}

}  // namespace

int match_verb(const ContractsArguments& arguments) {
  if (!arguments.ids.empty()) return match_dump(arguments);
  if (arguments.op.empty()) throw UsageError("contracts match needs --op, or the files of a dump");
  const std::vector<Case> all = open_cases_for(arguments.suites, {.suites = {arguments.op}});
  const Op& op = arguments.suites.ops->find(arguments.op);
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  const bool once = ignores_warp(backend.library);
  end_on_signals();
  int64_t kernels = 0, answered = 0, unseen = 0;
  bool device_lost = false;
  for (const KernelOffer& kernel : backend.library.kernels) {
    if (kernel.op != op.name || !glob_match(arguments.kernel, kernel.name)) continue;
    ++kernels;
    for (const std::string& claimed : kernel.contracts) {
      std::vector<const Case*> cases;
      std::set<std::string> seen;
      for (const Case& one : all) {
        const bool in_tier = one.tier == "quick" || one.tier == "own";
        if (one.op != op.name || !in_tier || one.text("contract") != claimed || !why_not_offered(kernel, one).empty()) continue;
        if (!arguments.cases.empty() && std::none_of(arguments.cases.begin(), arguments.cases.end(),
                                                     [&](const std::string& glob) { return glob_match(glob, one.id); }))
          continue;
        if (!once || seen.insert(one.data_id()).second) cases.push_back(&one);
      }
      if (cases.empty()) continue;
      const Tally tally = tally_of(op, cases, kernel, claimed, backend, Progress());
      print(kernel.name + " called as " + claimed, op, tally);
      answered += tally.answered, unseen += tally.unseen();
      device_lost |= tally.device_lost;
    }
  }
  if (kernels == 0)
    throw UsageError("back end " + arguments.backend + " offers no kernel " + arguments.kernel + " of op " + op.name);
  if (ended_by() != nullptr) return exit_code_of_ending();
  if (device_lost) return kDeviceLost;
  if (unseen > 0) {
    fmt::print("NOT ALL SEEN: {} of {} cases gave no outputs\n", unseen, unseen + answered);
    return kUnexpected;
  }
  if (answered == 0) {
    fmt::print("NOTHING RAN: no selected case of op {} is offered and answered\n", op.name);
    return kUsageOrNothingRan;
  }
  return kAllAsExpected;
}

}  // namespace assay
