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

/// kNotJudged is the initial value. A verdict that keeps it states the reason in its message and is never expected.
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
  std::string reason;              ///< why an element may have several codes, e.g. "rsqrt~2 61 %"
  std::vector<std::string> notes;  ///< op-specific facts, e.g. "q follows the stored scale in 12 of 12 groups"

  std::optional<Picture> picture;  ///< where the wrong elements are; only if there are any

  bool agrees() const { return outside == 0 && padding_wrong == 0; }  ///< elements only; violations belong to the verdict
};

/// Result of the invariance tests of a kernel (ladder.h).
struct Climb {
  std::vector<std::string> held;                            ///< levels on which all bits were the same
  std::vector<std::pair<std::string, std::string>> absent;  ///< levels that could not be tested, and why
  std::string broken;                                       ///< the first level that failed; empty if none did
  std::string message;                                      ///< of the failed level: which element, which bits
};

struct Verdict {
  std::string case_id;
  std::string kernel;
  std::string backend;
  Outcome outcome = Outcome::kNotJudged;
  std::string message;                 ///< why the outcome is skip, broken, untrusted or not_judged; one line
  std::vector<TensorFinding> tensors;  ///< for a case whose outputs were compared
  std::vector<Violation> violations;   ///< for a case whose outputs were compared: the first few violations between elements
  std::string program_said{};          ///< algorithm that the library reported with the call; then only that variant is accepted
  std::string program;                 ///< the variant of the contract that the outputs are closest to, if the contract has
                                       ///< several
  std::string looked_at;               ///< how many rows of a large failure were used to search for causes; empty: all
  std::vector<std::string> causes;     ///< for a failure: hypotheses that explain it, best first, or "no known cause"
  Power power;                         ///< what the case's data can detect; not computed if the call gave no outputs
  double seconds = 0;                  ///< wall time of the kernel call alone
  std::string why, origin, repro;
  std::string op, contract, arch, warp;  ///< parameters by which summaries count; empty if the op does not have them
  bool offered = true;                   ///< false: no kernel of the library offers the case, so none was called
  bool device_lost = false;              ///< the verdict says nothing about the kernel, and the run's exit code is 3
  std::optional<Climb> climb;            ///< if invariance tests were requested and the outputs agree
  std::string expected = "pass";         ///< outcome that the known-failures list demands
  std::string deviation;                 ///< the matching row of the known-failures list as text; empty if none matches
};

/// True if the run may pass with this verdict. A skip never fails a run: the library does not offer the case, or its kernel
/// returned ASSAY_UNSUPPORTED.
inline bool as_expected(const Verdict& verdict) {
  if (verdict.outcome == Outcome::kNotJudged || verdict.device_lost) return false;
  if (verdict.outcome == Outcome::kSkip && verdict.deviation.empty()) return true;
  return verdict.expected == name(verdict.outcome);
}

}  // namespace assay
