// Flow: a row shares one factor r, made from the sum of its squares.
#pragma once

#include "reference/flow/row.h"
#include "reference/recipe/eval.h"

namespace assay {

/// The row of the registry.
const Flow& row_norm_flow();

/// Sums that a tree of f32 additions of the given depth can return: the f32 numbers in the exact sum times (1 +- depth 2^-24),
/// one more rounding for the square unless squares of `x` are exact in f32, and n 2^-150 for partial sums below the normal range.
/// All terms have one sign, so the relative error of the sum is at most that of one path (N. J. Higham, Accuracy and
/// Stability, 4.2).
Span sum_of_squares(const std::vector<double>& x, int64_t depth, const Format& x_format);

/// What a row normalizes: x, or its sum with the residual.
struct NormRow {
  std::vector<double> summed;      ///< whose squares make r
  std::vector<double> normalized;  ///< what is multiplied by r
  std::vector<double> residual;    ///< what is stored in place of the residual; empty without one
  const Format* format = nullptr;  ///< of what is summed: its squares may be exact
  Span mu = point(0);              ///< mean, of a norm that takes it off
};
class RowListener;

NormRow norm_row(const RowNorm& contract, const std::vector<double>& x, const std::vector<double>& residual,
                 const Format& x_format, RowListener* listener = nullptr);

/// The sum that makes the mean.
Span norm_sum_of_x(const RowNorm& contract, const std::vector<double>& x);

/// The sum of squares that makes r, or of squares of what is left without the mean.
Span norm_sum(const RowNorm& contract, const NormRow& row);

/// The factor r of a row.
Span norm_factor(const RowNorm& contract, const NormRow& row, double eps, RowListener* listener = nullptr);

/// What all numbers of a row share.
struct NormFactors {
  NormFactors(Span r, Span mu = point(0)) : r(r), mu(mu) {}
  Span r, mu;
};

/// What each number of a row has for itself.
struct NormWeights {
  NormWeights(Spans gamma, Spans beta = {}, Spans gate = {})
      : gamma(std::move(gamma)), beta(std::move(beta)), gate(std::move(gate)) {}
  Spans gamma;
  Spans beta;  ///< of a norm that adds one
  Spans gate;  ///< of a norm that has one
};

/// Outputs of the numbers x.
Spans norm_outputs(const RowNorm& contract, const Spans& x, const NormWeights& own, const NormFactors& factors,
                   RowListener* listener = nullptr);

/// By which right r has its width: "r: tree 84 %, rsqrt~2 16 %".
std::string norm_reason(const RowNorm& contract, const NormRow& row, double eps);

}  // namespace assay
