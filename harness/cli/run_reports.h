// Reports of a command line: opened before the run, written after it. Each is written even if another fails.
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
  /// Throws UsageError for an unknown report, a file that cannot be written, and two reports with one file.
  explicit Reports(const std::vector<std::string>& texts, const Shard& shard = {});

  /// False only if a report goes to a stream such as /dev/stdout and none to the console.
  bool to_console() const { return to_console_; }

  /// Writes all reports that can be written. Failures go to stderr and make the result false.
  bool write(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
             const EarlierRun* earlier = nullptr) const;

 private:
  /// Annotations to stdout, and the Markdown report behind the job's other step summaries.
  void write_github(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) const;

  std::vector<ReportRequest> requests_;
  std::set<std::string> named_;  ///< files that are not streams: the console names each once it is written
  bool to_console_ = true;
};

/// The history that a run is added to, and what identifies the run there and in a recording.
class RunHistory {
 public:
  /// Throws UsageError if the file is not a history or cannot be written, so that a run does not learn it at its end.
  explicit RunHistory(const RunArguments& arguments);
  explicit RunHistory(const JudgeArguments& arguments);

  bool is_asked() const { return !file_.empty(); }
  /// Which run this is. A recording and a history of one run hold the same.
  RunIdentity identity(const RunResult& result, const Provenance& provenance) const;
  /// The newest run on the chip of `library`, for the HTML report; nothing if there is none.
  std::optional<EarlierRun> earlier(const LibraryInfo& library) const;
  /// For CaseOptions::record: notes the digest of the outputs. Thread-safe.
  void note(const Evidence& evidence, const Verdict& verdict);
  /// Adds the run. A failure goes to stderr and makes the result false.
  /// `identity`: of the run, or of the recordings that were judged, separated by spaces.
  bool add(const RunResult& result, const LibraryInfo& library, const Provenance& provenance, const std::string& identity) const;

 private:
  std::string file_, commit_, selection_;
  bool is_recorded_ = false;
  std::mutex mutex_;
  OutputDigests digests_;
};

/// The commit of the kernels: as given, else as CI systems name it.
std::string commit_of_kernels(const std::string& given);

/// The run of --trend: the JSON report of an earlier run, or the newest run of a history. Nothing for an empty path.
std::optional<EarlierRun> earlier_run_of(const std::string& path);

// Repeats failures alone.

/// Calls the kernel of the first failure of each cause again, in a new process, within a time limit. A failure that does not come
/// back depends on earlier calls: its message then says so and names the earlier case after which it fails, and its repro line
/// runs both.
void repeat_alone(const OpRegistry& ops, const std::vector<Case>& cases, const CaseOptions& each, const RunArguments& arguments,
                  const std::function<bool()>& ended, RunResult& result);

// Provenance that reports record about the run behind them.

/// The console's report except for its last lines: failures by cause, counts, then details of the run.
void print_ending(const RunResult& result, const Shown& shown, const std::string& details);

/// For `assay run`, at its start. add_library() adds the library's name and digest once it is open.
Provenance provenance_of(const RunArguments& arguments, const Shard& shard);

/// For `assay judge`. The library was called by an earlier run, so its file is not known here.
Provenance provenance_of(const JudgeArguments& arguments);

/// For `assay gate`; as for `assay judge`.
Provenance provenance_of(const GateArguments& arguments);

/// For `assay probe` and `assay signoff`.
Provenance provenance_of(const ProbeArguments& arguments);
Provenance provenance_of(const SignoffArguments& arguments);

/// Adds the kernel library's file and its digest.
void add_library(Provenance& provenance, const LibraryInfo& library);

/// The current date, YYYY-MM-DD in UTC.
std::string today();

/// Adds a verdict for each contract of --cases whose cases miss a mutant together. Only if all cases of the tables ran: not with
/// a selection other than of ops, a share, or an early end. Otherwise, if there are such tables, returns a line that says why
/// none was added.
std::string add_verdicts_of_tables(const Suites& suites, const Selection& selection, bool is_whole,
                                   const std::vector<Case>& cases, const Ledger& ledger, RunResult& result);

/// "excused by blind_to: 2 of 16 mutants of acme.rms_norm: ...", and globs that match no mutant: a line for each contract of
/// --cases. Empty if add_verdicts_of_tables() could not check the tables.
std::string excuses_text(const Suites& suites, const std::string& table_note, const std::vector<Case>& cases,
                         const RunResult& result);

/// Adds the rows of the known-failures list that match no case to the result. `all` are the cases of every op that the selection
/// names. Adds none if the cases come from the user's tables, because the list may also have rows for shipped cases.
void add_stale_rows(const Suites& suites, const Ledger& ledger, const std::vector<Case>& all, bool strict, RunResult& result);

/// Adds the evidence for the contracts that have a verdict in the result.
void add_evidence(Provenance& provenance, const RunResult& result);

}  // namespace assay
