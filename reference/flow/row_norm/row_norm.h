// Norms of rows: what evaluation needs and gives, sums in f32 trees, deviations from the mean, and the check of all outputs together.
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

// What a tree of f32 additions of some depth can return.

/// Of so many roundings one after the other, the largest relative error: k u / (1 - k u), u = 2^-24 (N. J. Higham, Accuracy and
/// Stability, 3.1).
double rounding_error(int64_t roundings);

/// Numbers of the f32 grid inside a real interval: a kernel's sum is one of them.
Span inside_f32(double low, double high);

/// Sums of n squares whose exact sum lies between `least` and `most`, each term rounded so often on its way. All terms have one
/// sign, so the relative error of the sum is at most that of one path (4.2); n 2^-150 is for what falls below the normal range.
Span tree_of_squares(double least, double most, size_t n, int64_t roundings);

// Sums of a row that a norm subtracts its mean.

/// Sums of x, of any signs, that a tree of f32 additions of the given depth can return: the f32 numbers within depth 2^-24 sum|x|
/// of the exact sum (N. J. Higham, Accuracy and Stability, 4.2). Additions have no error below the normal range.
Span signed_sum(const std::vector<double>& x, int64_t depth);

/// Sums of (x - mu)^2 that such a tree can return for some mu of the span. Each term has three roundings before the tree: twice
/// that of the difference, and that of the square; n 2^-150 is for squares below the normal range.
Span sum_of_deviations(const std::vector<double>& x, Span mu, int64_t depth);

// Flow: a row shares one factor r, made from the sum of its squares.

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

// One mean and one r must explain everything that a kernel stored in a row (design: the row's r is one unknown).

/// Of a contract with a norm: the r that all outputs allow which, each by itself, may be what is stored. Empty if there is none;
/// then `contradiction` names two of them that cannot be had together. `wide`: what each of them may be.
std::optional<Span> factors_of_outputs(const Contract& contract, const RowInputs& inputs, const NormRow& row,
                                       const StoredRow& stored, const RowOutputs& wide, std::string& contradiction);

/// Of a norm that subtracts its mean and whose outputs are stored as they are: the means for which some r of `wide` gives each
/// output that may be what is stored. Empty if there is none; then `contradiction` names two outputs that cannot be had together.
std::optional<Span> means_of_outputs(const RowNorm& norm, const RowInputs& inputs, Span mu, const StoredRow& stored,
                                     const RowOutputs& wide, std::string& contradiction);

// From a row of norm*.csv to what runs.

Link bind_row_norm(const RowCells& cells, const Format& x);

/// The mistakes that a norm can have.
void add_row_norm_edits(RowEdits& edits);

}  // namespace assay
