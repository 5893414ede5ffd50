#include "harness/report/where.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay {
namespace {

constexpr int64_t kTiles[] = {128, 64};

/// Marked cells as ranges of elements; empty if all cells are marked.
std::string runs(const std::vector<bool>& holds, int64_t cell, int64_t size) {
  constexpr int kMostRuns = 8;
  if (std::find(holds.begin(), holds.end(), false) == holds.end()) return "";
  std::string text;
  int count = 0;
  for (size_t first = 0; first < holds.size(); ++first) {
    if (!holds[first]) continue;
    size_t end = first;
    while (end < holds.size() && holds[end]) ++end;
    if (count++ == kMostRuns) return text + ", ...";
    const int64_t from = int64_t(first) * cell, to = std::min(size, int64_t(end) * cell) - 1;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", from);
    if (to > from) text += fmt::format("..{}", to);
    first = end;
  }
  return text;
}

/// Number of wrong elements per tile, if cells of the picture align with tiles.
std::string tiles(const TensorFinding& f, int64_t side) {
  const Picture& p = *f.picture;
  const bool cells_fill_tiles = p.cell_rows <= side && p.cell_columns <= side, several = f.shape[0] > side || f.shape[1] > side;
  if (!cells_fill_tiles || !several) return "";
  const int64_t down = (f.shape[0] + side - 1) / side, across = (f.shape[1] + side - 1) / side;
  std::vector<int64_t> outside(size_t(down * across), 0);
  for (int64_t r = 0; r < p.rows; ++r)
    for (int64_t c = 0; c < p.columns; ++c)
      outside[size_t(r * p.cell_rows / side * across + c * p.cell_columns / side)] += p.outside[size_t(r * p.columns + c)];
  const int64_t some = std::count_if(outside.begin(), outside.end(), [](int64_t count) { return count > 0; });
  if (some == down * across) return "";
  int64_t whole = 0, first = -1;
  for (int64_t i = 0; i < down * across; ++i) {
    const int64_t elements = std::min(side, f.shape[0] - i / across * side) * std::min(side, f.shape[1] - i % across * side);
    whole += outside[size_t(i)] == elements;
    if (outside[size_t(i)] > 0 && first < 0) first = i;
  }
  return fmt::format("tiles of {0} x {0}: {1} of {2} hold all of it, {3} wrong throughout; the first is tile [{4}, {5}]", side, some,
                     down * across, whole == 0 ? "none of them" : whole == some ? "each" : fmt::format("{}", whole), first / across,
                     first % across);
}

}  // namespace

std::vector<std::string> where_lines(const TensorFinding& f) {
  if (!f.picture || f.outside == 0 || f.outside == f.elements) return {};
  const Picture& p = *f.picture;
  std::vector<bool> rows(size_t(p.rows), false), columns(size_t(p.columns), false);
  for (int64_t r = 0; r < p.rows; ++r)
    for (int64_t c = 0; c < p.columns; ++c)
      if (p.outside[size_t(r * p.columns + c)] > 0) rows[size_t(r)] = columns[size_t(c)] = true;
  std::string lines;
  const auto add = [&](const char* what, const std::string& text, int64_t size) {
    if (!text.empty()) lines += fmt::format("{}{} {} of {}", lines.empty() ? "" : "; ", what, text, size);
  };
  add("rows", runs(rows, p.cell_rows, f.shape[0]), f.shape[0]);
  add("columns", runs(columns, p.cell_columns, f.shape[1]), f.shape[1]);
  std::vector<std::string> all;
  if (!lines.empty()) all.push_back(lines);
  for (const int64_t side : kTiles)
    if (const std::string text = tiles(f, side); !text.empty()) all.push_back(text);
  return all;
}

}  // namespace assay
