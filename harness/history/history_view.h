// What a history shows: since when a case fails, flips or has other bits, and the budget use of each contract, kernel and chip by
// run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/history/history.h"

namespace assay {

/// What became of a case. Wrong: an outcome other than pass and skip.
enum class Turn {
  kFails,    ///< is wrong in the newest run that has it, and does not flip
  kFlips,    ///< has turned between right and wrong three times or more, or twice and once with the same library file
  kMissing,  ///< was neither skipped nor left out in an earlier run with the same selection
  kFixed,    ///< is right, was wrong in one row of runs, and does not flip
  kBits,     ///< always right, with other bits than before
  kBudget    ///< always right, with another budget use although the bits did not change, or are not known
};

/// One case on one kernel and chip.
struct CaseChange {
  Turn turn = Turn::kFails;
  int32_t series = 0;  ///< index in HistoryData
  std::string chip;
  size_t since =
      0;  ///< index of the run with the newest turn, or change of bits or budget; for kMissing: the first run without the case
  int64_t runs = 0,
          before = 0;  ///< runs that have the case, and those of them before `since`; for two turns: since the turn before
  size_t from = 0;               ///< index of the first of the runs `before`
  int64_t times = 0;          ///< turns, or for kBits and kBudget: changes of either
  bool is_wrong = false;      ///< in its newest run
  bool is_known = false;      ///< wrong, and as the known-failures list says
  bool same_library = false;  ///< a turn or change between two runs of the same library file
  double budget_before = 0, budget_now = 0;
  std::string cause;  ///< if it is wrong or missing: the newest one
};

/// Changes of one kind that began in the same run, on the same chip and with the same cause; failures also of one contract and
/// kernel.
struct ChangeGroup {
  std::vector<CaseChange> cases;
  const CaseChange& first() const { return cases.front(); }
};

/// All verdicts of a contract, kernel and chip in one run.
struct LinePoint {
  size_t run = 0;  ///< index in HistoryData
  int64_t verdicts = 0, wrong = 0, known = 0;  ///< known: wrong, as the known-failures list says
  double budget_use = 0;                       ///< the largest
};
struct HistoryLine {
  std::string op, contract, kernel, chip;
  std::vector<LinePoint> points;  ///< oldest first; runs without a verdict are left out
};

std::vector<CaseChange> case_changes(const HistoryData& data);
/// By kind, newest first.
std::vector<ChangeGroup> change_groups(const HistoryData& data);
std::vector<HistoryLine> history_lines(const HistoryData& data);

/// "run 97 (2026-11-25, commit 4f2a91c)".
std::string run_text(const HistoryRun& run);
const char* name(Turn turn);  ///< "FAILS"
/// "rms_norm of vllm.rms_norm on sm_90, and 3 other kernels and contracts".
std::string contracts_text(const HistoryData& data, const ChangeGroup& group);
/// What follows the name: " since run 97 (2026-11-25, commit 4f2a91c), right in 96 runs before".
std::string turn_text(const HistoryData& data, const ChangeGroup& group);
/// "changed while the library file was the same: ..."; empty if there is nothing to add.
std::string remark(const ChangeGroup& group);

/// `everything`: shows all runs, cases and lines instead of only the newest or first ones.
std::string history_text(const HistoryData& data, const std::string& path, bool everything);

/// The HTML page: one file without scripts, with a line plot for each contract.
std::string history_page(const HistoryData& data, const std::string& path);

}  // namespace assay
