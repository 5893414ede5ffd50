#include "harness/diagnosis/scales.h"

#include <fmt/format.h>

namespace assay {
namespace {

std::string described(const ScaleGrid& grid) {
  const std::string extent =
      fmt::format("{} row{} of {} groups", grid.present_rows, grid.present_rows == 1 ? "" : "s", grid.present_columns);
  const std::string padding = grid.rows * grid.columns == grid.present_rows * grid.present_columns
                                  ? ""
                                  : fmt::format(", padded to {} x {}", grid.rows, grid.columns);
  switch (grid.kind) {
    case ScaleKind::kWords:
      return fmt::format("int32 words of four UE8M0 bytes, {}{}{}", extent, padding,
                         grid.extent_known ? "" : " (all bytes taken for groups)");
    case ScaleKind::kBytes:
      return fmt::format("UE8M0 bytes, {}{}", extent, padding);
    case ScaleKind::kFloats:
      return fmt::format("fp32 scales, {}{}{}", extent, padding,
                         grid.powers_of_two ? "; the consumer takes powers of two only" : "");
  }
  return "";
}

}  // namespace

ScaleReport look_at_scales(const ScaleGrid& grid) {
  ScaleReport report;
  if (grid.kind == ScaleKind::kFloats)
    look_at_floats(grid, report);
  else
    look_at_bytes(grid, report);
  look_at_patterns(grid, report);
  return report;
}

std::string scale_text(const ScaleGrid& grid, const ScaleReport& report) {
  std::string text = fmt::format("{}: {}\n", grid.name, described(grid));
  for (const ScaleFinding& finding : report.findings) {
    text += fmt::format("FOUND  {}\n", finding.what);
    for (const std::string& line : finding.lines) text += fmt::format("  {}\n", line);
  }
  for (const std::string& note : report.notes) text += fmt::format("note   {}\n", note);
  if (report.findings.empty())
    text += "CLEAN: nothing found\n";
  else
    text += fmt::format("{} FINDING{}\n", report.findings.size(), report.findings.size() == 1 ? "" : "S");
  return text;
}

}  // namespace assay
