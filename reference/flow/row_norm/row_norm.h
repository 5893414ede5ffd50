// Norms of rows: inputs and results of the evaluation, f32 sums in any order, deviations from the mean, and the check that one r
// explains all outputs of a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/row.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"

namespace assay {

// The possible results of f32 sums in trees of additions. The depth of a tree is the most additions that a term passes through.

/// The largest relative error after `roundings` consecutive roundings: k u / (1 - k u) with u = 2^-24 and k roundings (N. J.
/// Higham, Accuracy and Stability, 3.1).
double rounding_error(int64_t roundings);

/// The f32 values in an interval of real numbers; a kernel's sum is one of them.
Span inside_f32(double low, double high);

/// Possible sums of n squares whose exact sum lies between `least` and `most`, if each term passes `roundings` roundings. No term
/// is negative, so the relative error of the sum is at most that of one term's path (Higham, 4.2). n 2^-150 is added for errors
/// of subnormal partial results.
Span tree_of_squares(double least, double most, size_t n, int64_t roundings);

// Sums of a row for norms that subtract the mean.

/// Possible sums of x, of any sign, in a tree of f32 additions of depth `depth`: the f32 values at most rounding_error(depth) *
/// sum|x| from the exact sum (N. J. Higham, Accuracy and Stability, 4.2). Additions with a subnormal result are exact.
Span signed_sum(const std::vector<double>& x, int64_t depth);

/// Possible sums of (x - mu)^2 in a tree of f32 additions, for any mu of the interval. The depth grows by three roundings: that
/// of x - mu counts twice, because x - mu is squared, and that of the square once. n 2^-150 is added for subnormal squares.
Span sum_of_deviations(const std::vector<double>& x, Span mu, int64_t depth);

// Op kind "row_norm": all elements of a row share a factor r, which is computed from the sum of their squares.

/// The registry entry of this op kind.
const Flow& row_norm_flow();

/// Possible sums of x^2 in a tree of f32 additions of depth `depth`: the f32 values in [1 - e, 1 + e] * exact sum. If squares of
/// `x_format` are exact in f32, e = rounding_error(depth), else rounding_error(depth + 1). n 2^-150 is added for subnormal
/// partial sums. No term is negative, so the relative error of the sum is at most that of one term's path (N. J. Higham, Accuracy
/// and Stability, 4.2).
Span sum_of_squares(const std::vector<double>& x, int64_t depth, const Format& x_format);

/// The values that a norm normalizes: x, or the sum of x and the residual.
struct NormRow {
  std::vector<double> summed;      ///< the values whose squares determine r
  std::vector<double> normalized;  ///< the values that are multiplied by r
  std::vector<double> residual;    ///< the values stored in place of the residual; empty without one
  const Format* format = nullptr;  ///< format of `summed`, whose squares may be exact
  Span mu = point(0);              ///< the mean, for a norm that subtracts it
};
class RowListener;

NormRow norm_row(const RowNorm& contract, const std::vector<double>& x, const std::vector<double>& residual,
                 const Format& x_format, RowListener* listener = nullptr);

/// The possible sums of x, from which the mean is computed.
Span norm_sum_of_x(const RowNorm& contract, const std::vector<double>& x);

/// The possible sums of squares, or of squared deviations from the mean, from which r is computed.
Span norm_sum(const RowNorm& contract, const NormRow& row);

/// Wrong ways to add squares, found in real kernels: squares or sums with too few bits, or the last columns left out. Only the
/// diagnosis uses them. Each name is a value for RowNorm::sum.start.
const std::vector<std::string>& wrong_sums();

/// Wrong sums of x or of squares: the partial sums of some lanes start from 1 or -1 instead of 0. Each name is a value for
/// RowNorm::sum.start. For the sum from which the mean is computed, kOfMean precedes the name.
std::vector<std::string> names_of_wrong_starts();
inline const std::string kOfMean = "mean: ";
/// Wrong sum: its terms are subtracted instead of added.
inline constexpr const char* kSubtracted = "subtracts its terms";
/// Wrong sums that only the diagnosis uses: each term is divided by itself instead of squared; if `deviates`, also sums that read
/// columns past the end of the row as 0, which add (0 - mu)^2. Each name is a value for RowNorm::sum.start.
std::vector<std::string> names_of_wrong_terms(bool deviates);
/// Wrong sum of deviations: adds (x + mu)^2 instead of (x - mu)^2.
inline constexpr const char* kMeanAdded = "of x plus its mean";

/// The factor r of a row.
Span norm_factor(const RowNorm& contract, const NormRow& row, double eps, RowListener* listener = nullptr);

/// Values that all elements of a row share: r and the mean mu.
struct NormFactors {
  NormFactors(Span r, Span mu = point(0)) : r(r), mu(mu) {}
  Span r, mu;
};

/// Inputs of a norm with one value per element of a row: gamma, beta, gate.
struct NormWeights {
  NormWeights(Spans gamma, Spans beta = {}, Spans gate = {})
      : gamma(std::move(gamma)), beta(std::move(beta)), gate(std::move(gate)) {}
  Spans gamma;
  Spans beta;  ///< for a norm that adds beta
  Spans gate;  ///< for a norm with a gate
};

/// Outputs for the elements `x` of a row, all or some. `own` holds the inputs of the same elements.
Spans norm_outputs(const RowNorm& contract, const Spans& x, const NormWeights& own, const NormFactors& factors,
                   RowListener* listener = nullptr);

/// Why r's interval has a width: "width of r: 84 % from the order of additions (depth 26), 16 % from rsqrt~2".
std::string norm_reason(const RowNorm& contract, const NormRow& row, double eps);

// One mean and one r must explain all outputs of a row. Several values of each are possible, but a kernel uses one for the row.

/// For a contract with a norm: the values of r that explain all stored outputs of the row. Ignores outputs outside their own
/// interval in `wide`, which is computed from all accepted r. Empty if no r explains all outputs; then `contradiction` names two
/// outputs that no single r explains.
std::optional<Span> factors_of_outputs(const Contract& contract, const RowInputs& inputs, const NormRow& row,
                                       const StoredRow& stored, const RowOutputs& wide, std::string& contradiction);

/// For a norm that subtracts the mean and stores its outputs directly: the means for which some r of `wide` explains every output
/// that lies in its own interval. Empty if there is no such mean; then `contradiction` names two outputs that no mean explains.
std::optional<Span> means_of_outputs(const RowNorm& norm, const RowInputs& inputs, Span mu, const StoredRow& stored,
                                     const RowOutputs& wide, std::string& contradiction);

// Binds rows of norm*.csv, and makes their mutants.

Link bind_row_norm(const RowCells& cells, const Format& x);

/// Adds the mutants of a norm.
void add_row_norm_edits(RowEdits& edits);

}  // namespace assay
