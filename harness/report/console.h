// The report that a person reads.
#pragma once

#include <string>

#include "harness/compare/verdict.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// Rows of the ledger that cover no verdict of this run, a line for each; empty if there are none.
std::string idle_rows_text(const Ledger& ledger, const RunResult& result);

/// One verdict that is not as expected, as a block of lines: what, where, how much, by which right, from which row, how to
/// repeat.
std::string failure_text(const Verdict& verdict);

/// What failed, by cause, each with its first case; empty if nothing did.
std::string causes_text(const RunResult& result);

/// Where the report comes from, in lines that begin with "run_"; what is not known is left out.
std::string provenance_text(const Provenance& provenance, const LibraryInfo& library);

/// True if that file descriptor is a terminal that shows colours, and NO_COLOR (no-color.org) is not set.
bool wants_colour(int file);

/// The same text with its first words in capitals in red, or in green if they say that all is well; as it is without colour.
std::string coloured(const std::string& text, bool colour);

/// One line: how the run ended, and how many verdicts of each kind.
std::string outcome_line(const RunResult& result);

/// Counts by op, contract and warp size; skips by reason; failures by cause. outcome_line() comes after it, as the last line.
std::string summary_text(const RunResult& result);

}  // namespace assay
