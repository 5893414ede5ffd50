// A run of many cases on one back end: match with kernels, call, check, count, compare with the known-failures list.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/case.h"
#include "harness/core/op.h"
#include "harness/run/run_case.h"
#include "harness/text/messages.h"

namespace assay {

// Which kernels can run a case.

/// Why a kernel cannot run a case; empty if it can. Only the parameter `contract` is interpreted; all others are only compared.
std::string why_not_offered(const KernelOffer& offer, const Case& one);

// The known-failures list: verdicts that are expected not to be "pass", with reason, issue, date and owner.

/// A row of the list. The outcome must be exactly the listed one: a better one is unexpected, too.
struct Deviation {
  std::string cases, kernels;  ///< globs for case ids and kernel names
  std::string outcome;         ///< name of an Outcome
  std::string reason, issue, since, owner;
  Origin origin;

  bool covers(const Verdict& verdict) const;
  /// "expects fail: reason (issue, since 2026-11-21, owner; ci/expected/cuda.csv:2)"
  std::string text() const;
};

class Ledger {
 public:
  Ledger() = default;

  /// Columns case, kernel, outcome, reason, issue, since (a date), owner. Every cell must be filled. Two rows with the same case
  /// and kernel are an error, since the second would never apply. Throws TableError.
  static Ledger read(const std::string& path);
  static Ledger parse(const std::string& text, const std::string& file);

  /// Finds the first row that matches the verdict, and stores the row's outcome and reason in it.
  void expect(Verdict& verdict) const;

  const std::vector<Deviation>& rows() const { return rows_; }

  /// Idle rows: rows of the list that match none of these verdicts. The failure is gone, or its case was not run.
  std::vector<const Deviation*> idle(const std::vector<Verdict>& verdicts) const;

  /// File and line of the stale rows: idle rows that match no existing case. The op does not exist, or none of its cases in
  /// `cases` matches. For each op, `cases` must hold all its cases or none. A row with a glob as op is never stale.
  std::vector<std::string> stale(const std::vector<Verdict>& verdicts, const std::vector<Case>& cases,
                                 std::span<const Op> ops) const;

 private:
  const Deviation* find(const Verdict& verdict) const;

  std::vector<Deviation> rows_;
};

struct RunOptions {
  CaseOptions each;
  std::string kernel_glob = "*";  ///< glob: only kernels whose name matches are called
  int threads = 2;                ///< threads that make inputs and check outputs; kernel calls are serialized
  const Ledger* ledger = nullptr;   ///< known failures; nullptr: every verdict is expected to be a pass
  /// Polled. Returns why the run must end early ("SIGINT"), or nullptr. If it ends early, work in progress yields no verdict.
  std::function<const char*()> ended{};
  /// Called for each failing verdict before the search for its cause, in any order; never by two threads at once. If the run ends
  /// early, the result contains this verdict, even if the search for its cause is not finished.
  std::function<void(const Verdict&)> on_judged{};
  /// Number of calls that calls_in_a_row() (run_case.h) makes of each kernel, with several of its cases in turn; 0: none. The
  /// verdict of the smallest case gets the result. That case runs last, since the others must first pass alone.
  int calls_in_a_row = 0;
  /// Limit on these calls of all kernels together; each kernel gets an equal share, but at least 25. 0: no limit.
  int calls_in_rows = 0;
  /// Called for each verdict in case order, but last for those that include calls_in_a_row(); never by two threads at once.
  std::function<void(const Verdict&)> on_verdict;
};

/// What `assay gate` compared the verdicts with.
struct GateRun {
  std::string baseline;               ///< the baseline as the user named it
  std::string run = {};                ///< if in a history: "run 3 of 2026-11-26T09:10:11Z, commit 4f2a91c: NOT AS EXPECTED"
  bool same_bits = false;             ///< --same-bits: a change within the budget closes the gate
  bool strict = false;                ///< --strict: a fixed failure closes the gate
  std::vector<std::string> gaps = {};  ///< what the recordings lack; any gap fails the gate
  std::vector<std::string> notes = {};  ///< facts about the baseline that matter if the gate passes
};

struct RunResult {
  std::vector<Verdict> verdicts;
  bool device_lost = false;
  std::string harness_error{};  ///< the error of the harness that ended the run; `verdicts` holds those made before
  std::string ended_by{};       ///< "SIGINT" if the run ended before all cases had verdicts
  std::optional<GateRun> gate{};  ///< only for `assay gate`
  std::vector<std::string> stale_rows{};  ///< Ledger::stale(): "known.csv:2"
  bool rejects_stale_rows = false;        ///< --strict: a stale row fails the run

  int64_t count(Outcome outcome) const;
  int64_t unexpected() const;  ///< number of verdicts that are not as expected
  /// Number of verdicts other than skips (not offered, or refused by the kernel).
  int64_t judged() const;
  /// 0: all as expected; 1: some not as expected, or a stale row with --strict; 2: nothing ran; 3: device lost, or harness error.
  ExitCode exit_code() const;
};

/// Runs every case on every kernel that offers it. A case that no kernel offers yields one skip with the reason.
///
/// Calls the op's functions from several threads at once, each for a different case. Ends the run after three consecutive device
/// losses, since no remaining case would get a result from an in-process library. A HarnessError ends the run at once.
RunResult run_all(std::span<const Op> ops, const std::vector<Case>& cases, const Backend& backend, const RunOptions& options);

}  // namespace assay
