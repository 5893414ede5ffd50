// assay judge DIR...: verdicts on recorded outputs. Works like a run, except that calls are read from files.
#include <unistd.h>

#include <cstdio>
#include <set>

#include "harness/cli/ending.h"
#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/recorded_cases.h"
#include "harness/cli/recorded_power.h"
#include "harness/cli/reports.h"
#include "harness/report/console.h"
#include "harness/report/reconcile.h"

namespace assay {
namespace {

/// Reports selected cases that no recording has on stderr. Does nothing without a selection: then it is unknown what a recording
/// should contain. A library that ignores the warp size was called once for both.
size_t report_missing(const std::vector<Case>& cases, const std::vector<RecordedCase>& entries) {
  std::set<std::string> there, once;
  for (const RecordedCase& entry : entries) {
    there.insert(entry.one->id);
    if (entry.recorded.front().first->run.once) once.insert(entry.one->data_id());
  }
  size_t missing = 0;
  for (const Case& one : cases) {
    if (there.contains(one.id) || once.contains(one.data_id())) continue;
    ++missing;
    std::fprintf(stderr, "assay: missing: no recording holds %s\n", one.id.c_str());
  }
  return missing;
}

}  // namespace

int judge_recordings(const JudgeArguments& arguments) {
  Provenance provenance = provenance_of(arguments);
  const Reports reports(arguments.reports);
  const std::vector<Case> cases = open_selected_cases(arguments.suites, arguments.selection);
  const std::vector<Recording> recordings = open_recordings(arguments.targets);
  const std::vector<RecordedCase> entries = recorded_cases(recordings, cases);

  const bool colour = wants_colour(STDOUT_FILENO);
  end_on_signals();
  const PowerRecords power = recorded_power(cases);
  RunResult result = judge_recorded(*arguments.suites.ops, entries, power);
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  for (Verdict& verdict : result.verdicts) {
    ledger.expect(verdict);
    result.device_lost |= verdict.device_lost;
    if (reports.to_console() && !as_expected(verdict)) std::printf("%s\n", coloured(failure_text(verdict), colour).c_str());
  }
  reconcile(result);
  const size_t missing = arguments.selection.everything() ? 0 : report_missing(cases, entries);
  const std::vector<std::string> gaps = gaps_of(recordings);
  for (const std::string& gap : gaps) std::fprintf(stderr, "assay: missing: %s\n", gap.c_str());
  const LibraryInfo& library = recordings.front().library;
  provenance.ended = utc_now();
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, power);
  provenance.ended_early = result.ended_by;
  const bool all_written = reports.write(result, library, provenance);
  if (reports.to_console()) std::printf("%s", provenance_text(provenance, library).c_str());
  std::printf("%s%s", reports.to_console() ? summary_text(result).c_str() : "", coloured(outcome_line(result), colour).c_str());
  if (!result.ended_by.empty()) return exit_code_of_ending();
  if (missing > 0) std::printf("BUT INCOMPLETE: %zu selected cases are in no recording\n", missing);
  for (const std::string& gap : gaps) std::printf("BUT INCOMPLETE: %s\n", gap.c_str());
  const ExitCode code = result.exit_code();
  if (code != kAllAsExpected) return code;
  if (missing > 0 || !gaps.empty()) return kUnexpected;
  return all_written ? kAllAsExpected : kHarnessFailed;
}

}  // namespace assay
