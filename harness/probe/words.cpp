#include "harness/probe/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "reference/units/unit_table.h"

namespace assay {
namespace {

const char* word(CellMatch match) {
  return match == CellMatch::kSame ? "=" : match == CellMatch::kEqual ? "no difference on this instruction" : "DIFFERS";
}

/// "take(8), DIFFERS"
std::string beside(const LikeRow& like, const std::string& column) {
  const CellMatch match = like.cells.at(column);
  if (match == CellMatch::kSame) return "=";
  const std::string& text = like.row->text(column);
  return fmt::format("{}, {}", text.empty() ? "-" : text, word(match));
}

void cell_lines(const Probed& probed, const LikeRow* claimed, const LikeRow& nearest, std::vector<std::string>& lines) {
  const std::map<std::string, std::string> cells = step_cells(probed.unit);
  const bool one_row = claimed != nullptr && (nearest.row == claimed->row || claimed->equal);
  size_t width = 5, second = 1;
  for (const auto& [column, text] : cells) width = std::max(width, text.size());
  for (const auto& [column, text] : cells)
    if (claimed) second = std::max(second, beside(*claimed, column).size());
  if (claimed) second = std::max(second, claimed->row->id.size() + 10);
  const auto line = [&](const std::string& name, const std::string& own, const std::string& claim, const std::string& near) {
    std::string text = fmt::format("  {:<9} {:<{}}", name, own, width);
    if (claimed) text += fmt::format("   {:<{}}", claim, second);
    if (!one_row && nearest.row) text += "   " + near;
    lines.push_back(text.substr(0, text.find_last_not_of(' ') + 1));
  };
  line("cell", "found", claimed ? "called by " + claimed->row->id : "", nearest.row ? "nearest: " + nearest.row->id : "");
  for (const std::string& column : unit_step_columns()) {
    const std::string& own = cells.at(column);
    const bool nothing =
        own.empty() && (!claimed || claimed->row->text(column).empty()) && (!nearest.row || nearest.row->text(column).empty());
    if (nothing) continue;
    line(column, own.empty() ? "-" : own, claimed ? beside(*claimed, column) : "", nearest.row ? beside(nearest, column) : "");
  }
}

}  // namespace

std::vector<std::string> probed_lines(const Probed& probed, const LikeRow* claimed, const LikeRow& nearest) {
  std::vector<std::string> lines;
  cell_lines(probed, claimed, nearest, lines);
  if (nearest.row) {
    std::string others;
    for (const std::string& id : nearest.same_cells) others += (others.empty() ? ", whose cells are also those of " : ", ") + id;
    lines.push_back(
        fmt::format("  nearest row {}: {} of {} cells{}", nearest.row->id, nearest.alike(), nearest.cells.size(), others));
  } else {
    lines.push_back("  no row of the table has these operands");
  }
  for (const NotObservable& one : probed.not_observable)
    lines.push_back(fmt::format("  not observable on this instruction: {}, also {}", one.cell, one.what));
  if (probed.known()) {
    lines.push_back(fmt::format("  {} elements looked at, {} of them random ones after the unit was found: all are explained",
                                probed.elements, probed.checked));
    return lines;
  }
  lines.push_back("  UNKNOWN UNIT: no row that can be written explains it; the cells above explain the most");
  for (const std::string& remark : probed.remarks) lines.push_back("    " + remark);
  for (const Unexplained& one : probed.unexplained) {
    lines.push_back(fmt::format("    {:<10} {} of {} elements not explained{}", one.kind, one.wrong, one.elements,
                                one.shows.empty() ? "" : " (" + one.shows + ")"));
    lines.push_back("               " + one.example);
  }
  return lines;
}

}  // namespace assay
