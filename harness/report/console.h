// The report for people.
#pragma once

#include <string>

#include "harness/compare/verdict.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// One line for each row of the known-failures list that matches no verdict of this run; empty if there are none.
std::string idle_rows_text(const Ledger& ledger, const RunResult& result);

/// An unexpected verdict as a block of lines: what failed, where, by how much, the contract's justification, the table row, the
/// repro command.
std::string failure_text(const Verdict& verdict);

/// Failures by cause, each with its first case; empty if nothing failed.
std::string causes_text(const RunResult& result);

/// Provenance as lines that begin with "run_"; unknown values are left out.
std::string provenance_text(const Provenance& provenance, const LibraryInfo& library);

/// True if the descriptor is a terminal with colours and NO_COLOR (no-color.org) is not set.
bool wants_colour(int file);

/// Colours the first capitalized words red, or green if they report success; unchanged if `colour` is false.
std::string coloured(const std::string& text, bool colour);

/// One line: how the run ended, and the number of verdicts by outcome.
std::string outcome_line(const RunResult& result);

/// Counts by op, contract and warp size, skips by reason, failures by cause. outcome_line() follows as the last line.
std::string summary_text(const RunResult& result);

}  // namespace assay
