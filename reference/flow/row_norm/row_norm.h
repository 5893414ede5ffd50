// Norms of rows: inputs and results of the evaluation, sums in f32 trees, deviations from the mean, and the joint check of all
// outputs.
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

// The possible results of a tree of f32 additions of a given depth.

/// The largest relative error after that many consecutive roundings: k u / (1 - k u), u = 2^-24 (N. J. Higham, Accuracy and
/// Stability, 3.1).
double rounding_error(int64_t roundings);

/// The f32 values inside a real interval; a kernel's sum is one of them.
Span inside_f32(double low, double high);

/// Possible sums of n squares whose exact sum lies between `least` and `most`, if each term passes `roundings` roundings. All
/// terms are non-negative, so the relative error of the sum is at most that of one path (Higham, 4.2); n 2^-150 covers values
/// below the normal range.
Span tree_of_squares(double least, double most, size_t n, int64_t roundings);

// Sums of a row for norms that subtract the mean.

/// Possible sums of x, of any signs, by a tree of f32 additions of the given depth: the f32 values within depth 2^-24 sum|x| of
/// the exact sum (N. J. Higham, Accuracy and Stability, 4.2). Additions below the normal range have no error.
Span signed_sum(const std::vector<double>& x, int64_t depth);

/// Possible sums of (x - mu)^2 by such a tree, for any mu in the interval. Before the tree, a term has the error of three
/// roundings: the difference's counts twice, the square's once. n 2^-150 covers squares below the normal range.
Span sum_of_deviations(const std::vector<double>& x, Span mu, int64_t depth);

// Op kind "row_norm": a row shares one factor r, computed from its sum of squares.

/// The registry entry of this op kind.
const Flow& row_norm_flow();

/// Possible sums of x^2 by a tree of f32 additions of the given depth: the f32 values in [1 - e, 1 + e] * exact sum with
/// e = depth * 2^-24. Adds one rounding for the square, unless squares of `x` are exact in f32, and n 2^-150 for partial sums
/// below the normal range. All terms are non-negative, so the relative error of the sum is at most that of one path (N. J.
/// Higham, Accuracy and Stability, 4.2).
Span sum_of_squares(const std::vector<double>& x, int64_t depth, const Format& x_format);

/// The values that a row normalizes: x, or its sum with the residual.
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

/// The sum of squares for r, or of squared deviations from the mean.
Span norm_sum(const RowNorm& contract, const NormRow& row);

/// Wrong ways to add squares that were found in real kernels: squares or sums with few bits, a tail that is left out. Only for
/// the diagnosis. Each name is a value for RowNorm::sum.start.
const std::vector<std::string>& wrong_sums();

/// Sums of x or of squares that start from 1 or -1 in some lanes. Each name is a value for RowNorm::sum.start; for the sum of the
/// mean, kOfMean precedes it.
std::vector<std::string> names_of_wrong_starts();
inline const std::string kOfMean = "mean: ";
/// Start of a sum whose terms are subtracted instead of added.
inline constexpr const char* kSubtracted = "subtracts its terms";
/// Sums of squares or deviations with terms that the row does not have. Only for the diagnosis. Each name is a value for
/// RowNorm::sum.start. `deviates`: columns beyond the end count as 0 - mu.
std::vector<std::string> names_of_wrong_terms(bool deviates);
/// Deviations x + mu.
inline constexpr const char* kMeanAdded = "of x plus its mean";

/// The factor r of a row.
Span norm_factor(const RowNorm& contract, const NormRow& row, double eps, RowListener* listener = nullptr);

/// Values that all elements of a row share.
struct NormFactors {
  NormFactors(Span r, Span mu = point(0)) : r(r), mu(mu) {}
  Span r, mu;
};

/// Values that each element of a row has separately.
struct NormWeights {
  NormWeights(Spans gamma, Spans beta = {}, Spans gate = {})
      : gamma(std::move(gamma)), beta(std::move(beta)), gate(std::move(gate)) {}
  Spans gamma;
  Spans beta;  ///< for a norm that adds beta
  Spans gate;  ///< for a norm with a gate
};

/// Outputs for the elements x.
Spans norm_outputs(const RowNorm& contract, const Spans& x, const NormWeights& own, const NormFactors& factors,
                   RowListener* listener = nullptr);

/// The sources of r's width: "r: tree 84 %, rsqrt~2 16 %".
std::string norm_reason(const RowNorm& contract, const NormRow& row, double eps);

// One mean and one r must explain all outputs of a row, because both are unknown but single values per row.

/// For a contract with a norm: the values of r that all outputs together admit, considering only outputs that are admissible by
/// themselves. Empty if there are none; then `contradiction` names two outputs that no single r explains. `wide`: the intervals
/// of the outputs without this restriction.
std::optional<Span> factors_of_outputs(const Contract& contract, const RowInputs& inputs, const NormRow& row,
                                       const StoredRow& stored, const RowOutputs& wide, std::string& contradiction);

/// For a norm that subtracts the mean and stores its outputs directly: the means for which some r of `wide` explains every output
/// that is admissible by itself. Empty if there are none; then `contradiction` names two outputs that no single mean explains.
std::optional<Span> means_of_outputs(const RowNorm& norm, const RowInputs& inputs, Span mu, const StoredRow& stored,
                                     const RowOutputs& wide, std::string& contradiction);

// From a row of norm*.csv to the bound contract.

Link bind_row_norm(const RowCells& cells, const Format& x);

/// Adds the mutants of a norm.
void add_row_norm_edits(RowEdits& edits);

}  // namespace assay
