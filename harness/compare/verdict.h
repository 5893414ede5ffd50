// The outcome of one case on one kernel.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/element.h"
#include "harness/compare/picture.h"
#include "harness/compare/power.h"

namespace assay {

/// kNotJudged: where every verdict begins. One that ends there says why in its message, and is never expected.
enum class Outcome { kPass, kFail, kSkip, kUntrusted, kBroken, kNotJudged };

constexpr const char* name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPass:
      return "pass";
    case Outcome::kFail:
      return "fail";
    case Outcome::kSkip:
      return "skip";
    case Outcome::kUntrusted:
      return "untrusted";
    case Outcome::kBroken:
      return "broken";
    case Outcome::kNotJudged:
      return "unjudged";
  }
  return "?";
}

/// What the comparison found in one output tensor.
struct TensorFinding {
  std::string name;
  std::string format;
  std::array<int64_t, 2> shape{};
  int64_t elements = 0;
  int64_t outside = 0;      ///< elements outside their accepted set
  int64_t single_code = 0;  ///< elements with exactly one accepted code
  int64_t unjudged = 0;
  int64_t padding_wrong = 0;                    ///< padding elements that break their rule
  int64_t toward_zero = 0, away_from_zero = 0;  ///< of those outside
  int64_t worst_ulps = 0;
  double budget_use = 0;  ///< largest (distance from the middle) / (half width) over elements with a width; 0 when all are pinned
  Element first, worst;
  std::string padding_first;       ///< the first broken padding element in words
  std::string reason;              ///< by which right
  std::vector<std::string> notes;  ///< facts that only the op can see, e.g. "q follows the stored scale in 12 of 12 groups"

  std::optional<Picture> picture;  ///< where the wrong elements lie; only if there are any

  bool agrees() const { return outside == 0 && padding_wrong == 0; }  ///< element by element; violations are the verdict's
};

/// How far a kernel came on the ladder of determinism (ladder.h).
struct Climb {
  std::vector<std::string> held;                            ///< rungs on which all bits were the same
  std::vector<std::pair<std::string, std::string>> absent;  ///< rungs that cannot be tried, and why
  std::string broken;                                       ///< the first rung that breaks; empty if none does
  std::string message;                                      ///< of that rung: which element, which bits
};

struct Verdict {
  std::string case_id;
  std::string kernel;
  std::string backend;
  Outcome outcome = Outcome::kNotJudged;
  std::string message;                 ///< why it was skipped, is broken or untrusted; one line
  std::vector<TensorFinding> tensors;  ///< of a judged case
  std::vector<Violation> violations;   ///< of a judged case: between elements; the first of them
  std::string program_said{};          ///< which one the library said before; then that one alone is right
  std::string program;                 ///< of several that a contract admits: the one that the outputs come nearest to
  std::string looked_at;               ///< of a large failure: on how many rows its causes were sought; empty: on all
  std::vector<std::string> causes;     ///< of a failure: hypotheses that explain it, best first, or "no known cause"
  Power power;                         ///< of its data; not computed where the call gave no outputs
  double seconds = 0;                  ///< wall time of the kernel call alone
  std::string why, origin, repro;
  std::string op, contract, arch, warp;  ///< parameters of the case by which summaries count; empty where the op has none
  bool offered = true;                   ///< false: no kernel of the library offers the case, so none was called
  bool device_lost = false;              ///< nothing can be said about the kernel, and the run's exit code is 3
  std::optional<Climb> climb;            ///< if the ladder was asked for and the outputs agree
  std::string expected = "pass";         ///< outcome that the ledger of known deviations names
  std::string deviation;                 ///< the ledger's row in words; empty if none covers this verdict
};

/// True if the run may pass with this verdict. A skip is what the library does not offer, or what its kernel answered with
/// ASSAY_UNSUPPORTED: no failure either way.
inline bool as_expected(const Verdict& verdict) {
  if (verdict.outcome == Outcome::kNotJudged || verdict.device_lost) return false;
  if (verdict.outcome == Outcome::kSkip && verdict.deviation.empty()) return true;
  return verdict.expected == name(verdict.outcome);
}

}  // namespace assay
