// The verdict on tensors that a kernel computed, and the mutation score of their inputs.
#pragma once

#include <string>
#include <vector>

#include "harness/check/dumped_call.h"
#include "harness/compare/verdict.h"

namespace assay {

/// Whether to compute the mutation score of the inputs.
enum class WithPower { kNo, kYes };

/// A verdict with remarks for the reader.
struct TensorsVerdict {
  Verdict verdict;                 ///< its kernel is "unknown kernel" and its back end is "dump"
  std::vector<std::string> notes;  ///< e.g. that padding was not checked; one line each
};

/// Compares and diagnoses. `repro`: how to repeat it. The mutation score of large inputs is that of some of their rows: what
/// these expose all rows expose. Where rows depend on each other large inputs have none.
TensorsVerdict judge_tensors(const DumpedCall& call, const std::string& repro, WithPower with_power);

/// As failure_text(), with the notes, for every outcome.
std::string tensors_text(const TensorsVerdict& judged);

/// The contract as formulas, and the trace of one output element. A negative row selects the worst element.
std::string explain_tensors(const DumpedCall& call, int64_t row, int64_t column);

}  // namespace assay
