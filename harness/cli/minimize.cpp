// assay explain CASE --minimize: finds the smallest case that still fails on the same kernel for the same cause.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <regex>

#include "harness/cli/case_table.h"
#include "harness/cli/cases_of_ops.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/run_hooks.h"
#include "harness/run/match.h"
#include "harness/run/run_case.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "suites/registry.h"

namespace assay {
namespace {

/// Input generators from the simplest to the least telling.
constexpr const char* kKnownSimple[] = {"zeros", "ones", "lone", "ramp", "steps", "distinct", "uniform01", "normal"};

/// The kind of a failure without its numbers: the hypothesis, or the message.
std::string essence(std::string text) {
  static const std::regex numbers(" \\(needed for [0-9]+\\)|(columns from )[0-9]+|: 0xff, which is NaN, [^;]*; [^;]*");
  if (text.starts_with("explains ")) return std::regex_replace(text.substr(text.find(": ") + 2), numbers, "$1");
  text = text.substr(0, text.find(" ("));
  std::erase_if(text, [](char c) { return '0' <= c && c <= '9'; });
  return text;
}

/// The cause that the diagnosis lists first. A smaller case with another first cause shows a different failure.
std::string essence_of(const Verdict& verdict) {
  if (!verdict.causes.empty() && verdict.causes.front() != "no known cause") return essence(verdict.causes.front());
  if (!verdict.violations.empty()) return verdict.violations.front().rule;
  return essence(verdict.message.empty() ? std::string(name(verdict.outcome)) : verdict.message);
}

/// The same for display; messages keep their numbers.
std::string words_of(const Verdict& verdict) {
  const bool of_message = (verdict.causes.empty() || verdict.causes.front() == "no known cause") && !verdict.message.empty();
  return of_message ? verdict.message : essence_of(verdict);
}

/// Tests candidates on one kernel for one cause, and counts the calls.
class Shrinker {
 public:
  Shrinker(const Op& op, const Backend& backend, const KernelOffer& kernel) : op_(op), backend_(backend), kernel_(kernel) {
    options_.diagnose = look_for_causes(backend_);
  }

  /// Nothing if the case does not fail on the kernel.
  std::optional<Verdict> failure(const Case& one) {
    ++calls_;
    const Verdict verdict = run_case(op_, one, kernel_, backend_, options_);
    if (verdict.outcome != Outcome::kFail && verdict.outcome != Outcome::kBroken) return std::nullopt;
    return verdict;
  }

  void aim_at(const Verdict& verdict) {
    cause_ = essence_of(verdict);
    words_ = words_of(verdict);
    outcome_ = verdict.outcome;
  }
  /// Words for the original failure.
  const std::string& words() const { return words_; }
  int calls() const { return calls_; }

  /// The case with other cells, if it is valid, the kernel offers it, and it fails for the same cause.
  std::optional<Case> still_fails(Case one, const CellChanges& cells) {
    try {
      one = checked_case(op_, with_cells(std::move(one), cells));
      if (!why_not_offered(kernel_, one).empty()) return std::nullopt;
      const std::optional<Verdict> verdict = failure(one);
      if (!verdict || verdict->outcome != outcome_ || essence_of(*verdict) != cause_) return std::nullopt;
      return one;
    } catch (const std::exception&) {
      return std::nullopt;  // invalid case: a group size that does not divide the row, or a generator that the format cannot
                            // represent
    }
  }

  /// What can be reduced in a case for this kernel.
  Shrinking shrinking(const Case& one) const { return op_.bind(one)->shrinking(kernel_.multiple_of).value_or(Shrinking{}); }

  /// The smallest size of an axis that still fails: tries small numbers, then doubles, then bisects.
  Case shrink(const Case& one, const ShrinkAxis& axis) {
    constexpr int64_t kInTurn = 8;
    const auto at = [&](int64_t units) { return still_fails(one, axis.cells(units)); };
    int64_t passes = 0;
    for (int64_t units = 1; units < axis.now; units += units < kInTurn ? 1 : units) {
      std::optional<Case> smaller = at(units);
      if (!smaller) {
        passes = units;
        continue;
      }
      for (int64_t fails = units; fails - passes > 1;) {
        const int64_t middle = passes + (fails - passes) / 2;
        if (std::optional<Case> between = at(middle))
          smaller = between, fails = middle;
        else
          passes = middle;
      }
      return *smaller;
    }
    return one;
  }

 private:
  const Op& op_;
  const Backend& backend_;
  const KernelOffer& kernel_;
  CaseOptions options_;
  std::string cause_, words_;
  Outcome outcome_ = Outcome::kFail;
  int calls_ = 0;
};

/// Reduces axis `i` of the current case. Call it again after another axis was reduced.
Case shrink_axis(Shrinker& shrinker, const Case& one, size_t i) {
  const Shrinking now = shrinker.shrinking(one);
  return i < now.axes.size() ? shrinker.shrink(one, now.axes[i]) : one;
}

Case shrink_shape(Shrinker& shrinker, Case one) {
  one = shrink_axis(shrinker, one, 0);
  for (const auto& cells : shrinker.shrinking(one).instead) {
    if (const auto smaller = shrinker.still_fails(one, cells)) {
      one = *smaller;
      break;
    }
  }
  for (size_t i = 1; i < shrinker.shrinking(one).axes.size(); ++i) one = shrink_axis(shrinker, one, i);
  return shrink_axis(shrinker, one, 0);
}

/// Tries simpler generators in order. A generator is taken if the case fails with it on a shape that is no larger.
Case simplify_fill(Shrinker& shrinker, const Case& smallest) {
  const auto from = std::find_if(std::begin(kKnownSimple), std::end(kKnownSimple),
                                 [&](const char* fill) { return smallest.text("fill") == fill; });
  for (const char* const* fill = std::begin(kKnownSimple); fill != from; ++fill) {
    if (const auto other = shrinker.still_fails(smallest, {{"fill", *fill}, {"seed", "1"}}))
      return shrink_shape(shrinker, *other);
  }
  return shrinker.still_fails(smallest, {{"seed", "1"}}).value_or(smallest);
}

}  // namespace

int minimize_verb(const ExplainArguments& arguments) {
  const std::vector<Case> cases = open_cases_for(arguments.suites, {.cases = {arguments.case_id}});
  const Case& start = case_named(cases, arguments.case_id);
  const Op& op = arguments.suites.ops->find(start.op);
  if (!op.bind(start)->shrinking({}))
    throw UsageError("cases of op " + op.name + " cannot be made smaller; assay run names the inputs that fail");
  const Backend backend = shared_between_threads(open_backend(*arguments.suites.ops, {arguments.backend, false, 60}));
  int offered = 0;
  for (const KernelOffer& kernel : backend.library.kernels) {
    if (!glob_match(arguments.kernel, kernel.name) || !why_not_offered(kernel, start).empty()) continue;
    ++offered;
    Shrinker shrinker(op, backend, kernel);
    const std::optional<Verdict> verdict = shrinker.failure(start);
    if (!verdict) continue;
    shrinker.aim_at(*verdict);
    const Case smallest = simplify_fill(shrinker, shrink_shape(shrinker, start));
    const std::string why =
        "smallest that fails on " + kernel.name + " of " + backend.name + ": " + shrinker.words() + "; from " + start.id;
    const std::string text = case_table(op, smallest, why);
    fmt::print("{}", text);
    fmt::print(stderr, "assay: {} of {} elements left after {} calls: {}\n", shrinker.shrinking(smallest).elements,
               shrinker.shrinking(start).elements, shrinker.calls(),
               smallest.id);
    if (!arguments.output.empty()) write_atomically(arguments.output, text);
    return kUnexpected;
  }
  if (offered == 0)
    throw UsageError("no kernel '" + arguments.kernel + "' of back end " + arguments.backend + " is for " + start.id);
  fmt::print("nothing to minimize: {} passes\n", start.id);
  return kAllAsExpected;
}

}  // namespace assay
