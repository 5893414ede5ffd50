// The known-failures list: verdicts that are expected to differ from "pass", with reason, issue, date and owner.
#pragma once

#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/case.h"

namespace assay {

/// One row. The outcome must match exactly: a better verdict than listed is unexpected too.
struct Deviation {
  std::string cases, kernels;  ///< globs over case ids and kernel names
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

  /// Stores the expected outcome and its reason in a verdict, taken from the first row that matches it.
  void expect(Verdict& verdict) const;

  /// Rows that match none of these verdicts: fixed and forgotten, or not part of this run.
  std::vector<const Deviation*> idle(const std::vector<Verdict>& verdicts) const;

 private:
  const Deviation* find(const Verdict& verdict) const;

  std::vector<Deviation> rows_;
};

}  // namespace assay
