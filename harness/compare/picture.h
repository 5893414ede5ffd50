// Where and how far the elements of one part lie outside their accepted sets, in bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "harness/compare/element.h"
#include "harness/core/sample.h"

namespace assay {

/// Elements whose accepted values have one exponent.
struct Magnitude {
  int64_t elements = 0, outside = 0;
  int64_t worst_ulps = 0;
  int64_t sum_ulps = 0;  ///< of the distances of those outside
};

struct Picture {
  static constexpr int64_t kMostRows = 64, kMostColumns = 112;  ///< of cells
  static constexpr int kZero = std::numeric_limits<int>::min(), kNotFinite = std::numeric_limits<int>::max();

  /// The part in rows x columns cells of cell_rows x cell_columns elements, powers of two, so that a cell holds whole groups or
  /// lies within one. Cells at the lower and right edge may hold less.
  int64_t cell_rows = 1, cell_columns = 1;
  int64_t rows = 0, columns = 0;
  std::vector<int32_t> outside;  ///< elements outside their accepted set, cell by cell in row-major order
  std::vector<int32_t> joint;    ///< places of violations between elements, likewise; empty if there are none

  static constexpr int kMostBin = 33;  ///< of distances between codes of 32 bits
  std::array<int64_t, 2 * kMostBin + 1> by_distance{};  ///< elements outside, at kMostBin + distance_bin()
  int64_t became_nan = 0, should_be_nan = 0, other_nan = 0, sign_of_zero = 0;  ///< elements outside that have no distance

  /// The next three are of the elements that were looked at more closely (sample.h).
  std::array<int64_t, 12> budget{};      ///< elements whose set has a width, by budget_bin()
  std::map<int, Magnitude> magnitudes;   ///< by exponent of the nearest accepted value, kZero, kNotFinite
  std::vector<Element> around;           ///< the worst element between its neighbours

  /// Cells of a part of that shape, with nothing in them.
  static Picture blank(const std::array<int64_t, 2>& shape);
  size_t cell(int64_t row, int64_t column) const { return size_t(row / cell_rows * columns + column / cell_columns); }
  int64_t cell_elements(int64_t row, int64_t column, const std::array<int64_t, 2>& shape) const;

  /// Elements outside by distance_bin(), where there are any.
  std::map<int, int64_t> ulps() const;

  /// Counts an element outside its set: its cell and its distance.
  void add_outside(const Element& e, int64_t row, int64_t column);
  /// Counts a place of a violation; a whole row counts in each of its cells.
  void add_joint(int64_t row, int64_t column);
  /// Adds what another picture of the same part counted with these two.
  void merge(const Picture& other);
  /// The second look: counts all elements of a block by budget and magnitude.
  void look_closer(const SampleBlock& at, const AcceptedRows& rows, const Part& part, const HostTensor& tensor);
};

/// k for a distance of 2^(k-1) up to below 2^k ulp, negative for negative distances. 0 for 0.
int distance_bin(int64_t ulps);

/// Tenths of the budget up to 1; 10 up to twice the budget, 11 beyond.
int budget_bin(double use);

/// Neighbours of the element at row and column `worst` of part number `index`: in its row, or in its column where the part is a
/// column.
std::vector<Element> elements_around(const Answer& answer, size_t index, const HostTensor& tensor,
                                     const std::array<int64_t, 2>& worst);

}  // namespace assay
