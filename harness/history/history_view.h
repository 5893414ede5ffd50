// What a history shows: since which run a case fails, flips or returns other bits, and the budget use of each contract, kernel
// and chip by run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/history/history.h"

namespace assay {

/// How a case changed over the runs. Wrong: an outcome other than pass and skip. Turn: a change from right to wrong, or back.
enum class Turn {
  kFails,    ///< wrong in the newest run with a verdict on it, and does not flip
  kFlips,    ///< three turns or more, or two turns of which one was between runs of the same library file
  kMissing,  ///< has no verdict since a later run that selects the same cases of the same library on the same chip
  kFixed,    ///< right in its newest run, wrong in consecutive earlier runs, and does not flip
  kBits,     ///< always right, and its bits changed at its newest change
  kBudget    ///< always right; its newest change is one of budget use, with the same or unknown bits
};

/// One case on one kernel and chip.
struct CaseChange {
  Turn turn = Turn::kFails;
  int32_t series = 0;  ///< index of HistoryData::series
  std::string chip;
  size_t since = 0;  ///< index of the run with the newest turn (kBits, kBudget: change), or of the first run
                     ///< without the case (kMissing)
  int64_t runs = 0,
          before = 0;  ///< `runs`: runs with the case. `before`: those before `since`; after two turns: those between the turns
  size_t from = 0;               ///< index of the first run that `before` counts
  int64_t times = 0;          ///< number of turns; for kBits and kBudget, of changes of bits or budget use
  bool is_wrong = false;      ///< wrong in its newest run
  bool is_known = false;      ///< wrong, and the known-failures list expects it
  bool same_library = false;  ///< a turn, or a change of bits or budget use, was between runs of one library file
  double budget_before = 0, budget_now = 0;
  std::string cause;  ///< of a wrong case: the cause in its newest run; of a missing one: why a later run skipped it, or empty
};

/// Changes with the same Turn that began in the same run, on the same chip and with the same cause. kFails and kFlips: also with
/// the same contract and kernel.
struct ChangeGroup {
  std::vector<CaseChange> cases;
  const CaseChange& first() const { return cases.front(); }
};

/// All verdicts of a contract, kernel and chip in one run.
struct LinePoint {
  size_t run = 0;  ///< index of HistoryData::runs
  int64_t verdicts = 0, wrong = 0, known = 0;  ///< known: wrong, and the known-failures list expects it
  double budget_use = 0;                       ///< largest of the verdicts
};
struct HistoryLine {
  std::string op, contract, kernel, chip;
  std::vector<LinePoint> points;  ///< oldest first; runs without a verdict are left out
};

std::vector<CaseChange> case_changes(const HistoryData& data);  ///< lists no cases that are always right, unchanged and present
/// The groups of case_changes(), sorted by Turn; those that began in newer runs come first.
std::vector<ChangeGroup> change_groups(const HistoryData& data);
std::vector<HistoryLine> history_lines(const HistoryData& data);  ///< has one line per op, contract, kernel and chip

/// "run 97 (2026-11-25, commit 4f2a91c)".
std::string run_text(const HistoryRun& run);
const char* name(Turn turn);  ///< "FAILS"
/// "rms_norm of vllm.rms_norm on sm_90, and 3 other kernels and contracts".
std::string contracts_text(const HistoryData& data, const ChangeGroup& group);
/// The text after the name: " since run 97 (2026-11-25, commit 4f2a91c), right in 96 runs before".
std::string turn_text(const HistoryData& data, const ChangeGroup& group);
/// A remark such as "changed with the same library file: ..."; or empty.
std::string remark(const ChangeGroup& group);

/// `everything`: shows all runs, cases and lines instead of only the newest or first ones.
std::string history_text(const HistoryData& data, const std::string& path, bool everything);

/// The HTML page: one file without scripts, with a line plot for each contract.
std::string history_page(const HistoryData& data, const std::string& path);

}  // namespace assay
