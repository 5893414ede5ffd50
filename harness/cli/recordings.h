// Checks recorded runs: finds the case of each recording and makes a verdict without its kernel.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/dump/recording.h"
#include "harness/golden/golden.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"
#include "suites/registry.h"

namespace assay {

/// One verdict to make, from one recording or from several identical ones.
struct RecordedCase {
  const Case* one;
  std::vector<std::pair<const Recording*, const RecordedVerdict*>> recorded;
};

/// Opens all recordings of these folders, complete ones or shards. Throws DumpError.
std::vector<Recording> open_recordings(const std::vector<std::string>& folders);

/// Entries in table order, then in recording order: the order of the original run. A recorded case that is not in `cases` is
/// skipped and named on stderr, as not selected if it is in `all`. A case in two recordings is named on stderr and checked once.
/// Refers to the first two arguments.
std::vector<RecordedCase> recorded_cases(const std::vector<Recording>& recordings, const std::vector<Case>& cases,
                                         const std::vector<Case>& all = {});

/// The first recorded input that differs from the problem's, as text; empty if none does. Such a recording was made by another
/// version and proves nothing about this case. Throws std::out_of_range for an input that was not recorded.
std::string input_difference(const Problem& problem, const std::vector<HostTensor>& recorded);

/// The verdicts, on all cores. `power`: known mutation scores of their data. `record` gets the evidence of each, from several
/// threads. `budget`: of look_for_causes().
RunResult judge_recorded(const OpRegistry& ops, const std::vector<RecordedCase>& recorded, const PowerRecords& power,
                         const std::function<void(const Evidence&, const Verdict&)>& record = {},
                         int64_t budget = WorkBudget::kShort);

/// What the recordings lack according to their own index: other shards of the run, or cases after an early end. One line each.
std::vector<std::string> gaps_of(const std::vector<Recording>& recordings);

}  // namespace assay
