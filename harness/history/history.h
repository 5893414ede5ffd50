// The history: verdicts of many runs in one SQLite file. `run --history` and `judge --history` add to it, `assay history` shows
// it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/report/failure_groups.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

struct sqlite3;

namespace assay {

/// A run of a history, without its verdicts. All texts may be empty, except `begun`.
struct HistoryRun {
  int64_t id = 0;          ///< 1, 2, ... in the order in which runs were added
  std::string begun, ended, ended_early;   ///< as in Provenance
  std::string commit;                      ///< commit of the kernels
  std::string version, assay_commit;       ///< version and commit of the assay program
  std::string library, library_file, library_digest;
  std::string chip, device, driver, toolkit;  ///< `chip` is the architecture: "sm_90"
  std::string host, command;
  std::string selection;  ///< text of the case selection; two runs with the same text should have the same cases
  std::string share;      ///< the share as in Provenance; empty: the whole run
  std::string ending;     ///< "ALL AS EXPECTED", as reports print it
  std::string identity;   ///< run_identity(); of `assay judge`: identities of its recordings, separated by spaces; empty: unknown

  /// "sm_90, NVIDIA H100"; the architecture alone if the device has no other name.
  std::string chip_text() const;
};

/// One verdict of a run.
struct HistoryVerdict {
  std::string case_id, kernel, op, contract, warp;
  Outcome outcome = Outcome::kNotJudged;
  bool as_expected = false;
  double budget_use = 0;  ///< largest budget use of its output tensors; 0: every element has one accepted code
  std::string digest;     ///< output_digest(); empty if the call gave no outputs, and for sweeps over many calls
  std::string cause;      ///< of a failure: the first known cause, or the message if no cause is known. Of a skip: the message
};

/// Choice of a baseline. "The run" below is the later run, which is compared with the baseline.
struct BaselineWish {
  std::string chip;                   ///< chip_text() of the run
  std::vector<std::string> own;       ///< identities (HistoryRun::identity) of the run itself, which must not be chosen
  std::string library_digest, commit; ///< library file and commit of the run; empty: unknown
  int64_t run = 0;                    ///< from --run: number of the baseline; 0: not given
  std::string of_commit;              ///< from --commit: beginning of the baseline's commit; empty: not given
};

struct BaselineChoice {
  std::vector<HistoryRun> runs;          ///< one run, or the shares of one divided run
  std::vector<std::string> passed_over;  ///< newer runs that were passed over, with reasons: "run 3: the recorded run itself"
};

/// Digest of the output bytes that a call wrote; bytes that it never wrote are left out.
std::string output_digest(const CallResult& result);

/// Output digests by case id and kernel name.
using OutputDigests = std::map<std::pair<std::string, std::string>, std::string>;

/// The run in the form that a history stores, without `id` and `identity`, which are set later.
HistoryRun history_run(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                       const std::string& commit, const std::string& selection);
/// The verdicts of a run, without cases that the library does not offer, and without calls that lost the device.
std::vector<HistoryVerdict> history_verdicts(const RunResult& result, const OutputDigests& digests);

/// Which verdicts to read: at least one of these globs must match; an empty list admits everything.
struct HistoryFilter {
  std::vector<std::string> cases{}, contracts{}, kernels{}, chips{};  ///< chips: the architecture or chip_text()
  int64_t last = 0;                                                   ///< number of newest runs to read; 0: all
};

/// A part of a history in memory. All indices in these structs refer to the lists below.
struct HistoryData {
  struct Series {
    std::string case_id, kernel, op, contract, warp;
  };
  /// The content of a verdict, stored once for all runs with an equal verdict.
  struct State {
    int32_t series = 0, cause = 0;
    Outcome outcome = Outcome::kNotJudged;
    bool as_expected = false;
    double budget_use = 0;
    std::string digest;
  };
  std::vector<HistoryRun> runs;  ///< oldest first
  std::vector<Series> series;
  std::vector<State> states;
  std::vector<std::string> causes;
  std::vector<std::vector<int32_t>> verdicts;  ///< for each run: its verdicts, as indices of states
};

class History {
 public:
  enum class Access { kRead, kWrite };

  /// Opens the file. With kWrite, a missing or empty file becomes a history. Throws UsageError for a file that is not a history,
  /// is damaged, or has another version of the layout. Throws HarnessError if another process keeps it locked for
  /// `wait_seconds`.
  explicit History(const std::string& path, Access access, double wait_seconds = 60);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// Adds a run with its verdicts in one transaction. Returns its id. Throws HarnessError, and then nothing was added.
  int64_t add(const HistoryRun& run, const std::vector<HistoryVerdict>& verdicts);

  HistoryData read(const HistoryFilter& filter) const;

  /// The run that the wish names. Otherwise the newest other run on the chip that is as expected. If none is: the newest of them
  /// with another library file and commit, since a run with the same file or commit tried the same change earlier. If the run is
  /// a share, the result also has the nearest runs of the other shares, as in newest(). Throws UsageError if no run qualifies.
  BaselineChoice baseline(const BaselineWish& wish) const;

  /// The newest run. If this run is a share of a divided run, the result also has the newest run of each other share with the
  /// same library file, chip and selection. `chip` as in HistoryFilter; empty: any. Returns an empty list if there is none.
  std::vector<HistoryRun> newest(const std::string& chip = "") const;
  /// The verdicts of these runs, to compare a later run with.
  std::vector<HistoryVerdict> verdicts_of(const std::vector<HistoryRun>& runs) const;

 private:
  void open_layout(Access access);
  bool has_identity() const;
  std::vector<HistoryRun> newest_first(const std::string& chip) const;

  std::string path_;
  sqlite3* database_ = nullptr;
};

/// "2 of 3 shares of its newest run are missing", for the runs that newest() returns; empty if none is missing.
std::string lacking_shares(const std::vector<HistoryRun>& runs);

/// Whether a file begins with the signature of SQLite files.
bool is_history(const std::string& path);

/// The newest run, for `--trend`. Throws UsageError if the history has no run.
EarlierRun earlier_run(const History& history, const std::string& path, const std::string& chip = "");

}  // namespace assay
