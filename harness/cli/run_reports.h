// The reports that --report names: opened before the run, written after it. Each is written even if another fails.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/cli/verbs.h"
#include "harness/core/call.h"
#include "harness/core/cases.h"
#include "harness/dump/recording.h"
#include "harness/history/history.h"
#include "harness/report/console.h"
#include "harness/report/provenance.h"
#include "harness/report/report.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"

namespace assay {

class Reports {
 public:
  /// Throws UsageError for an unknown report, a file that cannot be written, or two reports with the same file.
  explicit Reports(const std::vector<std::string>& texts, const Shard& shard = {});

  /// False if a report goes to a stream such as /dev/stdout, unless a console report was requested too.
  bool to_console() const { return to_console_; }

  /// Writes all reports that can be written. Prints to stderr why others cannot be written; then returns false.
  bool write(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
             const EarlierRun* earlier = nullptr) const;

 private:
  /// Prints annotations to stdout, and appends the Markdown report to the job's step summary.
  void write_github(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) const;

  std::vector<ReportRequest> requests_;
  std::set<std::string> named_;  ///< files whose names the console prints when they are written; not streams such as /dev/stdout
  bool to_console_ = true;
};

/// The history file that a run is added to, and the identity of the run in that file and in a recording.
class RunHistory {
 public:
  /// Throws UsageError if the file is not a history or cannot be written, so that a run fails at its start and not at its end.
  explicit RunHistory(const RunArguments& arguments);
  explicit RunHistory(const JudgeArguments& arguments);

  bool is_asked() const { return !file_.empty(); }
  /// Identifies this run. A recording and a history of the same run contain the same identity.
  RunIdentity identity(const RunResult& result, const Provenance& provenance) const;
  /// The newest run on the chip of `library`, for the HTML report; nothing if there is none.
  std::optional<EarlierRun> earlier(const LibraryInfo& library) const;
  /// Stores the digest of a call's outputs; CaseOptions::record must call it for each verdict. Thread-safe.
  void note(const Evidence& evidence, const Verdict& verdict);
  /// Adds the run. If that fails, prints why to stderr and returns false.
  /// `identity`: the identity of the run, or the identities of the checked recordings, separated by spaces.
  bool add(const RunResult& result, const LibraryInfo& library, const Provenance& provenance, const std::string& identity) const;

 private:
  std::string file_, commit_, selection_;
  bool is_recorded_ = false;
  std::mutex mutex_;
  OutputDigests digests_;
};

/// The commit of the kernels: `given`, or if that is empty, GITHUB_SHA or CI_COMMIT_SHA.
std::string commit_of_kernels(const std::string& given);

/// The run of --trend: `path` is the JSON report of an earlier run, or a history file (then its newest run). Nothing if empty.
std::optional<EarlierRun> earlier_run_of(const std::string& path);

// Failures are repeated in new processes.

/// Repeats the first failure of each cause in a new process, within a time limit. If that call passes, the failure depends on
/// earlier calls. The verdict's message then says so, and names the earlier case after which the case fails. The repro line then
/// runs both cases.
void repeat_alone(const OpRegistry& ops, const std::vector<Case>& cases, const CaseOptions& each, const RunArguments& arguments,
                  const std::function<bool()>& ended, RunResult& result);

// Provenance: what reports record about their run, such as its command and library.

/// The console's report except for its last lines: failures by cause, counts, then details of the run.
void print_ending(const RunResult& result, const Shown& shown, const std::string& details);

/// Provenance for `assay run`, at its start. add_library() adds the library's name and digest once it is open.
Provenance provenance_of(const RunArguments& arguments, const Shard& shard);

/// Provenance for `assay judge`, without the library's file: an earlier run called the library, so its path is not known here.
Provenance provenance_of(const JudgeArguments& arguments);

/// Provenance for `assay gate`, without the library's file, as for `assay judge`.
Provenance provenance_of(const GateArguments& arguments);

/// Provenance for `assay probe` and `assay signoff`.
Provenance provenance_of(const ProbeArguments& arguments);
Provenance provenance_of(const SignoffArguments& arguments);

/// Adds the kernel library's file and its digest.
void add_library(Provenance& provenance, const LibraryInfo& library);

/// The current date, YYYY-MM-DD in UTC.
std::string today();

/// Adds an untrusted verdict for each contract of --cases that has a mutant which no case of these tables exposes. This needs
/// runs of all cases of the tables, or of whole ops. If only some cases ran, adds nothing and returns a line that says so.
std::string add_verdicts_of_tables(const Suites& suites, const Selection& selection, bool is_whole,
                                   const std::vector<Case>& cases, const Ledger& ledger, RunResult& result);

/// For each contract of --cases: a line "excused by blind_to: 2 of 16 mutants of acme.rms_norm: ...", and a line with the globs
/// that match no mutant. `table_note`: the result of add_verdicts_of_tables(). Empty if that function could not check the tables.
std::string excuses_text(const Suites& suites, const std::string& table_note, const std::vector<Case>& cases,
                         const RunResult& result);

/// Adds to the result the rows of the known-failures list that match no case. `all`: the cases of every op that the selection
/// names. Adds none if the cases come from the user's tables, because the list may also have rows for shipped cases.
void add_stale_rows(const Suites& suites, const Ledger& ledger, const std::vector<Case>& all, bool strict, RunResult& result);

/// Adds the evidence for the contracts that have a verdict in the result.
void add_evidence(Provenance& provenance, const RunResult& result);

}  // namespace assay
