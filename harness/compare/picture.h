// Where the elements of one part are wrong, and by how much, in bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "harness/compare/element.h"
#include "harness/core/sample.h"

namespace assay {

/// Counts for the elements whose accepted values share one exponent.
struct Magnitude {
  int64_t elements = 0, outside = 0;
  int64_t worst_ulps = 0;
  int64_t sum_ulps = 0;  ///< sum of their distances in ulp
};

struct Picture {
  static constexpr int64_t kMostRows = 64, kMostColumns = 112;  ///< upper bounds on the number of cells
  static constexpr int kZero = std::numeric_limits<int>::min(), kNotFinite = std::numeric_limits<int>::max();

  /// The part is divided into rows x columns cells. A cell covers cell_rows x cell_columns elements, both powers of two, so that
  /// a cell holds whole groups or lies within one. Cells at the lower and right edge may cover fewer.
  int64_t cell_rows = 1, cell_columns = 1;
  int64_t rows = 0, columns = 0;
  std::vector<int32_t> outside;  ///< elements outside their accepted interval, per cell in row-major order
  std::vector<int32_t> joint;    ///< places of violations between elements, per cell in row-major order; empty if there are none

  static constexpr int kMostBin = 33;  ///< for distances between 32-bit codes
  std::array<int64_t, 2 * kMostBin + 1> by_distance{};  ///< elements outside; index kMostBin + distance_bin()
  int64_t became_nan = 0, should_be_nan = 0, other_nan = 0, sign_of_zero = 0;  ///< elements outside without an ulp distance

  /// The next three cover only the elements of the sample (sample.h).
  std::array<int64_t, 12> budget{};      ///< elements whose interval has a width; index budget_bin()
  std::map<int, Magnitude> magnitudes;   ///< by exponent of the nearest accepted value, kZero, kNotFinite
  std::vector<Element> around;           ///< the worst element and its neighbours

  /// An empty picture for a part of that shape.
  static Picture blank(const std::array<int64_t, 2>& shape);
  size_t cell(int64_t row, int64_t column) const { return size_t(row / cell_rows * columns + column / cell_columns); }
  int64_t cell_elements(int64_t row, int64_t column, const std::array<int64_t, 2>& shape) const;

  /// Number of elements outside by distance_bin(); empty bins are left out.
  std::map<int, int64_t> ulps() const;

  /// Counts an element outside its set: its cell and its distance.
  void add_outside(const Element& e, int64_t row, int64_t column);
  /// Counts a place of a violation; a whole row counts in each of its cells.
  void add_joint(int64_t row, int64_t column);
  /// Adds the counts of add_outside() and add_joint() of another picture of the same part.
  void merge(const Picture& other);
  /// Second pass, over the sample: counts all elements of a block by budget and by magnitude.
  void look_closer(const SampleBlock& at, const AcceptedRows& rows, const Part& part, const HostTensor& tensor);
};

/// k for a distance of at least 2^(k-1) and less than 2^k ulp, negative for negative distances; 0 for distance 0.
int distance_bin(int64_t ulps);

/// Tenths of the budget: 0 to 9 up to 1; 10 up to twice the budget; 11 beyond.
int budget_bin(double use);

/// Neighbours of the element at row and column `worst` of part number `index`. They lie in the same row, or in the same column if
/// the part is a column vector.
std::vector<Element> elements_around(const Answer& answer, size_t index, const HostTensor& tensor,
                                     const std::array<int64_t, 2>& worst);

}  // namespace assay
