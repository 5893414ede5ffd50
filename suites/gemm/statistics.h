// The statistical verdict on a kernel that nobody knows: errors that are too large, or lean too far, for every known program.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "suites/gemm/gemm_case.h"

namespace assay {

/// Of the errors of some outputs, each divided by the sum of the magnitudes of its products: their mean away from zero, and their
/// standard deviation.
struct ErrorStatistic {
  double bias = 0, spread = 0;
};

/// What known programs give on data of a case with other seeds.
///
/// Three parts of d share no row and no column, so their data are independent. A program gives each part's statistics in kRuns runs. A
/// kernel with that program has a statistic below all of them in one part in 1 of kRuns + 1 cases, whatever its distribution; in all
/// three in 1 of (kRuns + 1)^3. A bias of either sign or a spread is refuted only where it is too large, so the verdict is wrong in at
/// most 3 / 201^3 = 4e-7 of its cases, and a kernel that adds more exactly than every known program passes.
class ErrorStatistics {
 public:
  static constexpr int kParts = 3, kRuns = 200;
  static constexpr double kLeastPower = 0.99;
  using OfParts = std::array<ErrorStatistic, kParts>;

  /// Calibrated on programs of the contract's members; nothing is run if the case can have no verdict. Candidates of a unit are
  /// no known programs: the unit may be none of them.
  explicit ErrorStatistics(const GemmCase& c);

  /// The share of kernels with one fraction bit less that are found, of the program that hides it best.
  double power() const { return power_; }
  bool has_power() const { return power_ >= kLeastPower; }
  /// "no power here: ..." or what the verdict can see.
  const std::string& words() const { return words_; }

  OfParts of(const Problem& problem, const HostTensor& d) const;
  /// Whether no program gives such statistics.
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

/// Calibrated once for each case.
std::shared_ptr<const ErrorStatistics> error_statistics(const GemmCase& c);

/// The verdict, where it has power: errors that no known program makes.
std::vector<Violation> error_violations(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
