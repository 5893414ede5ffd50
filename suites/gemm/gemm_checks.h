// Changes that must not affect the bits of a GEMM, for any algorithm: other columns, NaN in another row, the scale of another
// block, padding of the scales, the distance of rows.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// Calls that differ from the case's own call in one such way: columns in reverse order; a row of NaN (other numbers if the
/// format has none); one scale of a and one of b changed; other bytes where the scale buffers have no scale, which a quantizer
/// may leave undefined; gaps between rows of a, b and d. Calls that the shape does not allow are left out; for groups of rows, all
/// but that of padding are.
std::vector<Relation> gemm_relations(const GemmCase& c, const Problem& problem);

// Statistical check of an unknown kernel: its errors are larger, or more biased, than those of every known algorithm.

/// Statistics of the errors of some outputs, each error divided by the sum of the magnitudes of its products: mean away from
/// zero, and standard deviation.
struct ErrorStatistic {
  double bias = 0, spread = 0;
};

/// The statistics that known algorithms give on the data of a case with other seeds.
///
/// Three parts of d share no row and no column, so their data are independent. An algorithm variant gives the statistics of each
/// part in kRuns runs. A kernel with that variant has a statistic below all of them in one part in 1 of kRuns + 1 cases, whatever
/// its distribution; in all three in 1 of (kRuns + 1)^3. A bias or spread is only refuted if it is too large, so the verdict is wrong
/// in at most 3 / 201^3 = 4e-7 of the cases, and a kernel that is more accurate than every known variant passes.
class ErrorStatistics {
 public:
  static constexpr int kParts = 3, kRuns = 200;
  static constexpr double kLeastPower = 0.99;
  using OfParts = std::array<ErrorStatistic, kParts>;

  /// Calibrates with the algorithms of the contract's members. Does nothing if the case cannot have a verdict. Candidate models
  /// of an undocumented instruction do not count as known algorithms, since all of them may be wrong.
  explicit ErrorStatistics(const GemmCase& c);

  /// The share of kernels with one fraction bit less that are detected, for the algorithm that hides it best.
  double power() const { return power_; }
  bool has_power() const { return power_ >= kLeastPower; }
  /// "no power here: ...", or what the check can detect.
  const std::string& words() const { return words_; }

  OfParts of(const Problem& problem, const HostTensor& d) const;
  /// Whether no known algorithm gives such statistics.
  bool refutes(const OfParts& seen) const;

 private:
  struct Range {
    ErrorStatistic low, high;
  };
  using Ranges = std::array<Range, kParts>;

  OfParts of(const Problem& problem, const std::vector<double>& d) const;
  void calibrate();

  GemmCase case_;
  std::vector<Ranges> programs_;
  double power_ = 0;
  std::string words_;
};

/// Calibrated once per case.
std::shared_ptr<const ErrorStatistics> error_statistics(const GemmCase& c);

/// The verdict, if the check has power: errors that no known algorithm makes.
std::vector<Violation> error_violations(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
