// assay hunt: fuzzing. Generates cases until the time is over or the count is reached, and records violations per kernel.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "harness/cli/case_table.h"
#include "harness/cli/ending.h"
#include "harness/cli/invent.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/report/console.h"
#include "harness/run/match.h"
#include "harness/run/run.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/text/printable.h"
#include "suites/registry.h"

namespace assay {
namespace {

constexpr size_t kBatch = 64;          ///< cases per run
constexpr int kFutileTries = 100'000;  ///< consecutive attempts without a new case

/// Findings for one kernel.
struct Prey {
  int64_t judged = 0, violations = 0;
  double budget_use = 0;
  std::string nearest;  ///< case with that use
};

/// The selected cases of the op that the back end offers.
std::vector<Case> offered(const std::vector<Case>& selected, const HuntArguments& arguments, const Backend& backend) {
  std::vector<Case> cases;
  for (const Case& one : selected) {
    const auto takes = [&](const KernelOffer& kernel) {
      return glob_match(arguments.kernel, kernel.name) && why_not_offered(kernel, one).empty();
    };
    if (one.op == arguments.op && std::any_of(backend.library.kernels.begin(), backend.library.kernels.end(), takes)) cases.push_back(one);
  }
  if (cases.empty())
    throw UsageError("NOTHING RAN: back end " + arguments.backend + " offers no selected case of op " + arguments.op + " by a kernel '" +
                     arguments.kernel + "'");
  return cases;
}

class Hunt {
 public:
  Hunt(const HuntArguments& arguments, const Op& op, const Backend& backend, std::vector<Case> begin_with)
      : arguments_(arguments), op_(op), backend_(backend), inventor_(op, std::move(begin_with), arguments.seed),
        end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(60 * arguments.minutes))) {
    options_.kernel_glob = arguments.kernel;
    options_.threads = int(std::max(1u, std::thread::hardware_concurrency()));
    options_.each.diagnose = look_for_causes(backend);
    options_.ended = [this]() -> const char* {
      if (const char* signal = ended_by()) return signal;
      return Clock::now() < end_ ? nullptr : "the end of its time";
    };
  }

  void run() {
    while (!lost_ && options_.ended() == nullptr) {
      const std::vector<Case> cases = batch();
      if (cases.empty()) return;
      invented_ += int64_t(cases.size());
      const RunResult result = run_all(arguments_.suites.ops->all(), cases, backend_, options_);
      lost_ = result.device_lost;
      if (!result.harness_error.empty()) throw std::runtime_error(result.harness_error);
      for (const Verdict& verdict : result.verdicts) take(verdict, cases);
      if (::isatty(STDERR_FILENO)) fmt::print(stderr, "\r{} cases, {} kernels with violations ", invented_, broken_kernels());
    }
  }

  int report() const {
    int64_t judged = 0;
    for (const auto& [kernel, prey] : prey_) {
      judged += prey.judged;
      fmt::print("{:<28} {} of {} verdicts are violations{}\n", kernel, prey.violations, prey.judged,
                 prey.budget_use == 0 ? "" : fmt::format("; highest budget use {:.3g}: {}", prey.budget_use, prey.nearest));
    }
    if (unjudged_ > 0) fmt::print("{} verdicts could not be given, the first of {}\n", unjudged_, printable(first_unjudged_));
    fmt::print("{} cases of op {} were generated from seed {}; {} kernels break their contract\n", invented_, op_.name, arguments_.seed,
               broken_kernels());
    if (ended_by() != nullptr) return exit_code_of_ending();
    if (lost_) return kDeviceLost;
    return judged == 0 ? kUsageOrNothingRan : broken_kernels() > 0 ? kUnexpected : kAllAsExpected;
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<Case> batch() {
    std::vector<Case> cases;
    const int64_t most = std::min<int64_t>(kBatch, arguments_.count - invented_);
    for (int futile = 0; int64_t(cases.size()) < most && futile < kFutileTries; ++futile)
      if (std::optional<Case> one = inventor_.next()) cases.push_back(*std::move(one)), futile = 0;
    return cases;
  }

  void take(const Verdict& verdict, const std::vector<Case>& cases) {
    if (verdict.outcome == Outcome::kSkip || verdict.device_lost) return;
    if (verdict.outcome == Outcome::kNotJudged) {  // e.g. a generator that makes NaN, for a format without NaN
      if (unjudged_++ == 0) first_unjudged_ = verdict.case_id + ": " + verdict.message;
      return;
    }
    Prey& prey = prey_[verdict.kernel];
    ++prey.judged;
    for (const TensorFinding& tensor : verdict.tensors)
      if (verdict.outcome == Outcome::kPass && tensor.budget_use > prey.budget_use)
        prey.budget_use = tensor.budget_use, prey.nearest = verdict.case_id;
    if (verdict.outcome == Outcome::kPass || prey.violations++ > 0) return;
    const auto one = std::find_if(cases.begin(), cases.end(), [&](const Case& c) { return c.id == verdict.case_id; });
    const std::string table = case_table(op_, *one, "found by a hunt on " + verdict.kernel + " of " + backend_.name + "; " + one->why);
    if (written_.insert(verdict.case_id).second) rows_ += rows_.empty() ? table : table.substr(table.find('\n') + 1);
    if (!arguments_.output.empty()) write_atomically(arguments_.output, rows_);
    fmt::print("{}\n{}", failure_text(with_repro(verdict)), table);
  }

  /// The case is in no shipped table, so the repro line names the table that the hunt writes.
  Verdict with_repro(Verdict verdict) const {
    const std::string file = arguments_.output.empty() ? "FILE.csv, which --output FILE.csv writes," : arguments_.output;
    verdict.repro = fmt::format("assay run --backend {} --cases {} --case '{}' --kernel {}", arguments_.backend, file, verdict.case_id, verdict.kernel);
    return verdict;
  }

  int64_t broken_kernels() const {
    return std::count_if(prey_.begin(), prey_.end(), [](const auto& of) { return of.second.violations > 0; });
  }

  const HuntArguments& arguments_;
  const Op& op_;
  const Backend& backend_;
  Inventor inventor_;
  const Clock::time_point end_;
  RunOptions options_;
  std::map<std::string, Prey> prey_;
  std::string rows_;  ///< a table of the first violation of each kernel
  std::set<std::string> written_;  ///< ids of its cases: two kernels may break the same one, and a table holds it once
  std::string first_unjudged_;
  int64_t invented_ = 0, unjudged_ = 0;
  bool lost_ = false;
};

}  // namespace

int hunt_verb(const HuntArguments& arguments) {
  if (!arguments.output.empty()) require_writable(arguments.output);
  Selection selection = arguments.selection;
  if (selection.suites.empty() && arguments.suites.tables.cases.empty()) selection.suites = {arguments.op + "/quick"};
  const std::vector<Case> selected = open_selected_cases(arguments.suites, selection);
  const Op& op = arguments.suites.ops->find(arguments.op);
  const auto ended = [] { return ended_by() != nullptr; };
  const Backend backend = shared_between_threads(open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds, ended}));
  Hunt hunt(arguments, op, backend, offered(selected, arguments, backend));
  end_on_signals();
  hunt.run();
  return hunt.report();
}

}  // namespace assay
