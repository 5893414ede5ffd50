// Collects positions in a matrix and prints them as ranges of rows and columns.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace assay {

/// Ascending numbers as text: "0..3, 7"; after eight ranges "... (40 in all)".
std::string runs_text(const std::set<int64_t>& numbers);

/// Positions of a finding.
struct PlacesFound {
  int64_t count = 0;
  std::set<int64_t> rows, columns;
  std::array<int64_t, 2> first{};

  void add(int64_t row, int64_t column) {
    if (count++ == 0) first = {row, column};
    rows.insert(row);
    columns.insert(column);
  }
  /// "rows 0..3; groups 2, 6"
  std::string text() const;
};

}  // namespace assay
