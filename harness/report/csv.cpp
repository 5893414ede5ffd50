#include "harness/report/csv.h"

#include <fmt/format.h>

#include <vector>

#include "harness/report/report.h"

namespace assay {
namespace {

std::string cell(const std::string& text) {
  const bool blank_edge = !text.empty() && (text.front() == ' ' || text.back() == ' ');
  if (text.find_first_of(",\"\r\n") == std::string::npos && !blank_edge) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string row(const std::vector<std::string>& cells) {
  std::string text;
  for (const std::string& one : cells) text.append(&one == &cells.front() ? "" : ",").append(cell(one));
  return text.append("\n");
}

std::vector<std::string> verdict_cells(const Verdict& v) {
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
          fmt::format("{:.6f}", v.seconds),
          v.origin};
}

std::vector<std::string> tensor_cells(const TensorFinding& f) {
  std::vector<std::string> cells = {f.name, f.format};
  for (const int64_t count : {f.elements, f.outside, f.worst_ulps, f.single_code, f.unjudged, f.padding_wrong}) {
    cells.push_back(std::to_string(count));
  }
  cells.push_back(fmt::format("{:.4f}", f.budget_use));
  return cells;
}

}  // namespace

std::string csv_text(const RunResult& result) {
  const std::vector<std::string> verdict_columns = {"case",    "op",      "contract",    "arch",    "warp",    "kernel",
                                                    "backend", "outcome", "as_expected", "message", "seconds", "row"};
  const std::vector<std::string> tensor_columns = {"tensor",      "format",   "elements",      "outside",   "worst_ulps",
                                                   "single_code", "unjudged", "padding_wrong", "budget_use"};
  const auto joined = [](std::vector<std::string> a, const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  std::string text = row(joined(verdict_columns, tensor_columns));
  for (const Verdict& verdict : result.verdicts) {
    for (const TensorFinding& finding : verdict.tensors) text += row(joined(verdict_cells(verdict), tensor_cells(finding)));
    if (verdict.tensors.empty()) text += row(joined(verdict_cells(verdict), std::vector<std::string>(tensor_columns.size())));
  }
  return text;
}

}  // namespace assay
