#include "harness/report/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/report/words.h"
#include "harness/text/printable.h"

namespace assay {
namespace {

using Cells = std::vector<std::string>;

using Fields = std::vector<ReportField>;

const Fields kVerdictColumns = {
    {"case", "id of the case"},
    {"op", "op"},
    {"contract", "contract that the outputs were checked against"},
    {"arch", "architecture that the case is for; empty: all"},
    {"warp", "32 or 64 lanes"},
    {"kernel", "name of the kernel"},
    {"backend", "name of the kernel library"},
    {"outcome", "pass, fail, skip, untrusted, broken or unjudged"},
    {"as_expected", "yes or no: whether the run may pass with this row"},
    {"message", "why the case was skipped, or is broken or untrusted"},
    {"ledger", "row of the ledger of known deviations that covers this verdict"},
    {"seconds", "wall time of the kernel call"},
    {"row", "file and line of the case"},
    {"program", "of several algorithms that the contract admits: the one that made the outputs, or comes nearest"},
    {"program_said", "algorithm that the library itself named before the call"}};
const Fields kTensorColumns = {
    {"tensor", "output tensor, or a part of it"},
    {"format", "format of its elements"},
    {"elements", "number of elements"},
    {"outside", "elements outside their accepted interval"},
    {"worst_ulps", "largest distance from the accepted interval, in ulp of the format"},
    {"single_code", "elements with exactly one accepted code"},
    {"unjudged", "elements that the contract leaves undefined"},
    {"padding_wrong", "padding elements that break their rule"},
    {"budget_use", "largest distance from the middle of an accepted interval, divided by its half width: 1 is the edge; 0 if no element has a width"}};
/// Counts refer to the data that the mutation score is computed on, which may be a subsample.
const Fields kPowerColumns = {
    {"faults_seen", "mutants of the contract that this data set exposes"},
    {"faults", "mutants of the contract that some data set can expose"},
    {"codes_visited", "codes that every right kernel returns on this data set; of 8-bit formats"},
    {"power_elements", "elements that the next three columns count"},
    {"power_subnormal", "elements that must be subnormal"},
    {"power_saturated", "elements that must have the largest finite magnitude"},
    {"power_nan", "elements that must be NaN"}};

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

/// Mutation score of the case, and counts for this tensor. Empty if not computed.
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

Cells names_of(const Fields& fields) {
  Cells names;
  for (const ReportField& field : fields) names.push_back(field.name);
  return names;
}

}  // namespace

std::vector<ReportField> csv_columns() {
  Fields all = kVerdictColumns;
  all.insert(all.end(), kTensorColumns.begin(), kTensorColumns.end());
  all.insert(all.end(), kPowerColumns.begin(), kPowerColumns.end());
  return all;
}

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
  std::string text = whole_row(names_of(kVerdictColumns), names_of(kTensorColumns), names_of(kPowerColumns), run_columns);
  const auto put = [&](const Verdict& verdict, const Cells& tensor, const std::string& name) {
    text += whole_row(verdict_cells(verdict), tensor, power_cells(verdict.power, name), run_cells);
    std::fill(run_cells.begin() + 1, run_cells.end(), "");  // values that are equal for all rows are printed in the first row
                                                            // only
  };
  for (const Verdict& verdict : result.verdicts) {
    for (const TensorFinding& finding : verdict.tensors) put(verdict, tensor_cells(finding), finding.name);
    if (verdict.tensors.empty()) put(verdict, Cells(kTensorColumns.size()), "");
  }
  return text;
}

}  // namespace assay
