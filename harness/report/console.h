// The console report.
#pragma once

#include <string>

#include "harness/compare/verdict.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// One line for each row of the known-failures list that matches no verdict of this run, stale rows first; empty if there are
/// none.
std::string idle_rows_text(const Ledger& ledger, const RunResult& result);

/// One line for each kernel whose verdicts are all skips, with the most frequent reason; empty if there are none.
std::string idle_kernels_text(const RunResult& result);

/// The determinism tests that were not run: "not tried: determinism tests (repeat, ...); --ladder runs them". Empty if all were
/// run, or if no case passed.
std::string untried_levels_text(const RunResult& result);

/// How much the console prints.
struct Shown {
  bool all = false;     ///< --show all: a block for each failure, and every contract, cause and reason
  size_t failures = 6;  ///< otherwise: the number of causes of which one failure gets a block
};

/// A verdict as a block of lines: what failed, why, where, by how much, why accepted intervals have a width, the table row, the
/// repro command.
std::string failure_text(const Verdict& verdict);

/// The unexpected verdicts: a block for each cause, which shows its first failure in full.
std::string failures_text(const RunResult& result, const Shown& shown, bool colour);

/// For `assay gate`: the first verdicts of each state. Leaves out `same bits`, and `new`, whose failures have blocks.
std::string gate_lists_text(const RunResult& result, const Shown& shown);

/// Failures by cause, each with its first case; empty if nothing failed.
std::string causes_text(const RunResult& result, const Shown& shown);

/// Provenance as lines that begin with "run_"; unknown values are left out.
std::string provenance_text(const Provenance& provenance, const LibraryInfo& library);

/// True if the descriptor is a terminal with colours and NO_COLOR (no-color.org) is not set.
bool wants_colour(int file);

/// If `colour`: makes the capital words at the start of the text red, or green if they report success, and causes yellow.
std::string coloured(const std::string& text, bool colour);

/// One line: how the run ended, and the number of verdicts by outcome.
std::string outcome_line(const RunResult& result);

/// Counts by op, contract and warp size, skips by reason, failures by cause.
std::string summary_text(const RunResult& result, const Shown& shown = {});

}  // namespace assay
