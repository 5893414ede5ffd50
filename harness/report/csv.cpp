#include "harness/report/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/report/words.h"
#include "harness/text/printable.h"

namespace assay {
namespace {

using Cells = std::vector<std::string>;

const Cells kVerdictColumns = {"case",    "op",          "contract", "arch",   "warp",    "kernel", "backend",
                               "outcome", "as_expected", "message",  "ledger", "seconds", "row", "program", "program_said"};
const Cells kTensorColumns = {"tensor",      "format",   "elements",      "outside",   "worst_ulps",
                              "single_code", "unjudged", "padding_wrong", "budget_use"};
/// Counts of elements are those of the data that power is computed on, which may be an excerpt.
const Cells kPowerColumns = {"faults_seen",     "faults",          "codes_visited", "power_elements",
                             "power_subnormal", "power_saturated", "power_nan"};

Cells joined(Cells a, const Cells& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string cell(const std::string& bytes) { return csv_cell(printable(bytes)); }

std::string row(const Cells& cells) {
  std::string text;
  for (const std::string& one : cells) text.append(&one == &cells.front() ? "" : ",").append(cell(one));
  return text.append("\n");
}

Cells verdict_cells(const Verdict& v) {
  return {v.case_id,
          v.op,
          v.contract,
          v.arch,
          v.warp,
          v.kernel,
          v.backend,
          name(v.outcome),
          as_expected(v) ? "yes" : "no",
          v.message,
          v.deviation,
          fmt::format("{:.6f}", v.seconds),
          v.origin,
          v.program,
          v.program_said};
}

Cells tensor_cells(const TensorFinding& f) {
  Cells cells = {f.name, f.format};
  for (const int64_t count : {f.elements, f.outside, f.worst_ulps, f.single_code, f.unjudged, f.padding_wrong}) {
    cells.push_back(std::to_string(count));
  }
  cells.push_back(fmt::format("{:.4f}", f.budget_use));
  return cells;
}

/// What the data can show: of the case, and of this tensor. Empty where it was not computed.
Cells power_cells(const Power& power, const std::string& tensor) {
  Cells cells(kPowerColumns.size());
  if (power.faults > 0) cells[0] = std::to_string(power.seen()), cells[1] = std::to_string(power.faults);
  for (const DataPower& data : power.data) {
    if (data.tensor != tensor) continue;
    if (data.codes.any()) cells[2] = std::to_string(data.codes.count());
    cells[3] = std::to_string(data.elements);
    cells[4] = std::to_string(data.subnormal);
    cells[5] = std::to_string(data.saturated);
    cells[6] = std::to_string(data.not_a_number);
  }
  return cells;
}

}  // namespace

std::string csv_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) {
  const std::vector<Fact> facts = facts_of(provenance, library);
  Cells run_columns = {"run_id"}, run_cells = {run_id(facts)};
  for (const Fact& fact : facts) {
    run_columns.push_back("run_" + fact.name);
    run_cells.push_back(fact.value);
  }
  const auto whole_row = [](const Cells& verdict, const Cells& tensor, const Cells& power, const Cells& run) {
    return row(joined(joined(joined(verdict, tensor), power), run));
  };
  std::string text = whole_row(kVerdictColumns, kTensorColumns, kPowerColumns, run_columns);
  const auto put = [&](const Verdict& verdict, const Cells& tensor, const std::string& name) {
    text += whole_row(verdict_cells(verdict), tensor, power_cells(verdict.power, name), run_cells);
    std::fill(run_cells.begin() + 1, run_cells.end(), "");  // what is the same for all rows stands in the first
  };
  for (const Verdict& verdict : result.verdicts) {
    for (const TensorFinding& finding : verdict.tensors) put(verdict, tensor_cells(finding), finding.name);
    if (verdict.tensors.empty()) put(verdict, Cells(kTensorColumns.size()), "");
  }
  return text;
}

}  // namespace assay
