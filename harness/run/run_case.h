// One case on one kernel: problem, call, expectation, comparison, verdict.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/op.h"
#include "harness/core/sample.h"
#include "harness/run/data_memory.h"

namespace assay {

/// What a verdict was made from, for those who look deeper: power, diagnosis, recording.
struct Evidence {
  const BoundCase& bound;
  const Case& one;
  const Problem& problem;
  const std::vector<HostTensor>* outputs;  ///< nullptr if no call gave any
  const CallResult* result = nullptr;      ///< the whole answer, likewise
  const Sample* sample = nullptr;          ///< of judged outputs: the steps of the answer to look at more closely
};

struct CaseOptions {
  int repeat = 1;              ///< calls that must give the same bits, each under another schedule_seed
  uint64_t schedule_seed = 1;  ///< of the first call
  bool ladder = false;         ///< also climb the ladder of determinism (ladder.h) where the outputs agree

  /// What the data of this case can show. Faults that it cannot and that the row does not declare make a pass untrusted.
  std::function<Power(const Evidence&)> power{};

  /// Called for a verdict of kFail, kBroken or kUntrusted; may add notes to its tensors.
  std::function<void(const Evidence&, Verdict&)> diagnose{};

  /// Called for every verdict that came from a call, those of sweeps excepted.
  std::function<void(const Evidence&, const Verdict&)> record{};
};

/// Makes the problem; calls under the lock of `call` (see run.h); judges. An exception out of the op or the reference becomes
/// kNotJudged with its words, so that one wrong case does not end a run; one out of `record` is a HarnessError, which does.
///
///   kSkip       the library answered UNSUPPORTED, or lost the device (device_lost)
///   kBroken     crash, hang, a write outside a buffer or into an input, a logical output element not written, a floating-point
///               environment left changed
///   kFail       FAILED, other bits on repetition or on a rung of the ladder, an element or padding outside its set, a joint violation
///   kUntrusted  it would pass, but cannot see a fault that its row does not declare
///   kNotJudged  the harness did not call the kernel or could not judge it; the message says why
///
/// `memory` serves cases that share their data, one after the other; nullptr: there are none.
Verdict run_case(const Op& op, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
                 DataMemory* memory = nullptr);

/// A verdict that carries what is known before a call: id, kernel, row, repro.
Verdict blank_verdict(const Case& one, const std::string& kernel, const std::string& backend);

}  // namespace assay
