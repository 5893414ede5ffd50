// Runs one case on one kernel: problem, call, expectation, comparison, verdict.
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

/// The data behind a verdict, for mutation analysis, diagnosis and recording.
struct Evidence {
  const BoundCase& bound;
  const Case& one;
  const Problem& problem;
  const std::vector<HostTensor>* outputs;  ///< nullptr if no call produced outputs
  const CallResult* result = nullptr;      ///< the complete result; nullptr if no call produced outputs
  const Sample* sample = nullptr;          ///< for checked outputs: the sample to examine in detail
};

struct CaseOptions {
  int repeat = 1;              ///< number of calls that must return the same bits, each with a different schedule_seed
  uint64_t schedule_seed = 1;  ///< used for the first call
  bool ladder = false;         ///< also run the invariance tests (ladder.h) if the outputs agree

  /// Mutation analysis of the case's data. Mutants that the case neither kills nor declares turn a pass into untrusted.
  std::function<Power(const Evidence&)> power{};

  /// Called for a verdict of kFail, kBroken or kUntrusted; may add notes to its tensors.
  std::function<void(const Evidence&, Verdict&)> diagnose{};

  /// Called for every verdict that came from a call, except those of sweeps.
  std::function<void(const Evidence&, const Verdict&)> record{};
};

/// Makes the problem, calls the kernel while holding the lock `call` (see run.h), and checks the outputs. An exception of the op
/// or the reference becomes kNotJudged with its message, so that one bad case does not end a run. An exception of `record`
/// becomes a HarnessError, which does end it.
///
///   kSkip       the library answered UNSUPPORTED, or lost the device (device_lost)
///   kBroken     crash, hang, a write outside a buffer or into an input, a logical output element not written, a floating-point
///               environment left changed
///   kFail       FAILED, other bits on repetition or in an invariance test, an element or padding outside its set, a violation
///   kUntrusted  would pass, but the data miss a mutant that the row does not declare
///   kNotJudged  the harness did not call the kernel or could not check it; the message says why
///
/// `memory` caches data for consecutive cases with the same data; nullptr: no cache.
Verdict run_case(const Op& op, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
                 DataMemory* memory = nullptr);

/// A verdict that carries what is known before a call: id, kernel, row, repro.
Verdict blank_verdict(const Case& one, const std::string& kernel, const std::string& backend);

}  // namespace assay
