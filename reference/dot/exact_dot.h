// GEMMs of scaled codes, exactly: a double with a certificate where that decides, long integers where it does not.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reference/dot/dot_kernels.h"
#include "reference/dot/dot_operand.h"
#include "reference/units/unit.h"

namespace assay {

/// y[m, n] = sum over k of a[m, k] * b[n, k], each operand with its scales; dot_tile.h says which numbers meet.
struct DotProblem {
  DotOperand a;  ///< [m, k]
  DotOperand b;  ///< [n, k]
  int64_t k = 0;
};

/// A part of y, so that a large product can be looked at in pieces.
struct DotRange {
  int64_t first_row = 0, rows = 0, first_column = 0, columns = 0;
};

/// How a tensor core adds, as far as a bound of its error needs it: it takes some products and the partial result, aligns them to the
/// largest exponent of all, drops what lies below, adds, and rounds. Numbers: contracts/units.csv. Source of the bound: P. Blanchard, N. J.
/// Higham, F. Lopez, T. Mary, S. Pranesh, "Mixed precision block fused multiply-add: error analysis and application to GPU tensor cores"
/// (2020).
struct AccumulatorModel {
  int products_per_step = 0;
  int fraction_bits = 0;           ///< kept below the largest exponent
  int result_bits = 0;             ///< fraction bits of a result
  bool result_to_nearest = false;  ///< else it is truncated
  int64_t chunk = 0;               ///< products until the partial result is taken away and scaled; 0: all of k
  bool scales_inside = false;      ///< exponents of scales that change along k join those of products
};

/// Where results go: arrays [rows, columns] of the range, row-major and dense; an empty one is not wanted.
struct DotOutputs {
  struct Rounded {
    const Format* format;  ///< f32, bf16, f16 or any other of at most 24 bits
    std::span<double> values;
  };
  std::vector<Rounded> rounded{};  ///< y rounded once to nearest even; too large is Inf, or NaN in a format without Inf
  std::span<double> value{};       ///< a double near y
  std::span<double> error{};       ///< |value - y| is at most this; 0: value is y
  /// sum |a b| with all scales, rounded upward: more than the sum by at most 2^-14 of it (absolute_sum.h); what is not finite
  /// counts as 0
  std::span<double> absolute_sum{};

  /// Bounds of what a unit that adds in ascending k makes of y before anything else is rounded; they need a model.
  std::optional<AccumulatorModel> model{};
  /// sum over chunks of |scales| 2^E T ((g + 1) 2^-F + 2^-p), with T steps of g products and E the largest exponent that the unit may have
  /// aligned to: of a product e_a + e_b, of a subnormal code the format's least, and of partial results. NaN where y is, Inf where it is.
  std::span<double> bound{};
  /// The largest such exponent of the products and of the exact partial results (their double sums) of all chunks, before scales outside;
  /// INT32_MIN if all products are 0. What is not finite counts as 0.
  std::span<int32_t> largest_exponent{};
};

/// Computes a range of y, in the caller's oneTBB arena.
///
/// Shapes  a [m, k], b [n, k] -> y [m, n]; k may be 0, and a range may be empty.
/// Error   None in `rounded`. `value` is y where the sum of the products and its product with the scales are doubles.
/// Edges   As of ExactElements (dot_tile.h): an exact zero is +0, a number that rounds to zero keeps its sign; specials follow IEEE 754, and
///         have error 0.
/// Throws  std::invalid_argument for formats that dot_operand.h does not take, arrays of another size than the range, a range outside y, bounds
///         without a model, and a chunk in which a scale outside of the unit changes.
/// Source  A sum of n terms with n - 1 additions in any order is within n u / (1 - n u) sum |a b| (N. J. Higham, "Accuracy and Stability of
///         Numerical Algorithms", 2002, section 4.2), which norms of rows bound (Cauchy, Schwarz). Sums of multiples of one step that stay
///         below 2^53 steps are exact.
void exact_dot(const DotProblem& problem, const DotRange& range, const DotOutputs& outputs, const DotKernels& kernels = dot_kernels());

// What a bound of a tensor core's error needs to know of it, from its row.

/// The unit as it adds products and partial results in one aligned sum; nothing for one that adds them otherwise (a tree, sums
/// that are joined, groups, integers) or of which nothing is known. `chunk`: AccumulatorModel::chunk.
std::optional<AccumulatorModel> accumulator_model(const Unit& unit, int64_t chunk);

}  // namespace assay
