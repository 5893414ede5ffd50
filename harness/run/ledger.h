// The ledger of known deviations: which verdict is expected where it is not "pass", why, since when, and who answers for it.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/case.h"

namespace assay {

/// One row. The outcome is demanded: a verdict that is better than it says is as unexpected as one that is worse.
struct Deviation {
  std::string cases, kernels;  ///< globs over case ids and names of kernels
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

  /// Columns case, kernel, outcome, reason, issue, since (a date), owner; every cell is filled; no two rows have the same case and
  /// kernel, of which the second would never count. Throws TableError.
  static Ledger read(const std::string& path);
  static Ledger parse(const std::string& text, const std::string& file);

  /// Writes the expected outcome and its reason into a verdict: those of the first row that covers it.
  void expect(Verdict& verdict) const;

  /// Rows that cover none of these verdicts: fixed and forgotten, or not part of this run.
  std::vector<const Deviation*> idle(const std::vector<Verdict>& verdicts) const;

 private:
  const Deviation* find(const Verdict& verdict) const;

  std::vector<Deviation> rows_;
};

}  // namespace assay
