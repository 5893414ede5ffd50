// Recorded runs as cases to be judged again: which case each recording belongs to, and the verdict on it without its kernel.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/dump/recording.h"
#include "harness/golden/power_records.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"
#include "suites/registry.h"

namespace assay {

/// One verdict to be made, from one recording or from several that hold the same.
struct RecordedCase {
  const Case* one;
  std::vector<std::pair<const Recording*, const RecordedVerdict*>> recorded;
};

/// All recordings of these folders: of each the whole, or its shares. Throws DumpError.
std::vector<Recording> open_recordings(const std::vector<std::string>& folders);

/// In the order of the tables, then of the recordings: the order of the run that made them. A recorded case that is not among
/// `cases` is left out and named on stderr; so is one that two recordings hold, which is judged once. Refers to both arguments.
std::vector<RecordedCase> recorded_cases(const std::vector<Recording>& recordings, const std::vector<Case>& cases);

/// Which recorded input is not the one of the problem, in words; empty if all are. What was made by another version proves nothing about
/// this case. Throws std::out_of_range for an input that was not recorded.
std::string input_difference(const Problem& problem, const std::vector<HostTensor>& recorded);

/// The verdicts, on all cores. `power`: what is known of their data. `record` sees what each was made from, from several threads at once.
RunResult judge_recorded(const OpRegistry& ops, const std::vector<RecordedCase>& recorded, const PowerRecords& power,
                         const std::function<void(const Evidence&, const Verdict&)>& record = {});

/// What the recordings say of themselves that they lack: other shares of their run, what came after an early end. A line for
/// each.
std::vector<std::string> gaps_of(const std::vector<Recording>& recordings);

}  // namespace assay
