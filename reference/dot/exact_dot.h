// Exact GEMMs of scaled codes, in double with an error bound or, where this does not decide the rounding, in long integers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "reference/dot/dot_kernels.h"
#include "reference/dot/dot_operand.h"
#include "reference/units/unit.h"

namespace assay {

/// y[m, n] = sum over k of a[m, k] * b[n, k], where each operand has scales. dot_operand.h says which scale an element has.
struct DotProblem {
  DotOperand a;  ///< [m, k]
  DotOperand b;  ///< [n, k]
  int64_t k = 0;
};

/// A range of y. A large GEMM can be computed range by range.
struct DotRange {
  int64_t first_row = 0, rows = 0, first_column = 0, columns = 0;
};

/// How a tensor core accumulates, as far as error bounds need it: it aligns some products and the partial result to the largest
/// of their exponents, truncates the lower bits, adds, and rounds. Parameters: contracts/units.csv. Source of the bound: P.
/// Blanchard, N. J. Higham, F. Lopez, T. Mary, S. Pranesh, "Mixed precision block fused multiply-add: error analysis and
/// application to GPU tensor cores" (2020).
struct AccumulatorModel {
  int products_per_step = 0;       ///< products that are aligned and added at a time
  int fraction_bits = 0;           ///< bits kept below the largest exponent
  int result_bits = 0;             ///< fraction bits of a result
  bool result_to_nearest = false;  ///< true: rounds to nearest; false: toward zero
  int64_t chunk = 0;               ///< products after which the partial result is promoted and scaled; 0: all of k
  bool scales_inside = false;      ///< exponents of scales that change along k are added to the exponents of products
};

/// Outputs [rows, columns] of the range, without gaps and row-major. An empty array is not computed.
struct DotOutputs {
  struct Rounded {
    const Format* format;  ///< f32, bf16, f16 or another format of at most 24 bits
    std::span<double> values;
  };
  std::vector<Rounded> rounded{};  ///< y rounded once to nearest even; overflow is Inf, or NaN in a format without Inf
  std::span<double> value{};       ///< a double near y
  std::span<double> error{};       ///< |value - y| is at most this; 0: value is y
  /// sum of |a b| with all scales, rounded upward by at most 2^-14 of it (absolute_sums() in dot_tile.h); NaN and Inf count as 0
  std::span<double> absolute_sum{};

  /// Bounds for the error of a tensor core that adds in ascending k, before any later rounding. They need `model`.
  std::optional<AccumulatorModel> model{};
  /// sum over chunks of |scales| 2^E T ((g + 1) 2^-F + 2^-p), where T steps add g products each, F = fraction_bits, and p =
  /// result_bits (+ 1 for rounding to nearest). E is the largest exponent of products (e_a + e_b) and of partial results; a
  /// subnormal code has the exponent of the smallest normal number. NaN or Inf where y is NaN or Inf.
  std::span<double> bound{};
  /// The largest of the exponents that `bound` uses: of products and of exact partial results (as double sums) of all chunks,
  /// before outer scales. INT32_MIN if all products are 0. NaN and Inf count as 0.
  std::span<int32_t> largest_exponent{};
};

/// Computes a range of y, in the caller's oneTBB arena.
///
/// Shapes: a [m, k] and b [n, k] give y [m, n]. k may be 0, and the range may be empty.
/// Error: none in `rounded`. `value` equals y if the sum of the products, and its product with the scales, are doubles.
/// Special values: as ExactElements (dot_tile.h). An exact zero is +0, a number that rounds to zero keeps its sign; NaN and Inf
/// follow IEEE 754 and have error 0.
/// Throws std::invalid_argument for formats that dot_operand.h does not accept, arrays whose size differs from the range, a range
/// outside y, bounds without a model, and a chunk in which an outer scale changes.
/// Source: a sum of n terms with n - 1 additions in any order is within n u / (1 - n u) sum |a b| (N. J. Higham, "Accuracy and
/// Stability of Numerical Algorithms", 2002, section 4.2). Norms of rows bound that sum (Cauchy, Schwarz). Sums of multiples of
/// one step that stay below 2^53 steps are exact.
void exact_dot(const DotProblem& problem, const DotRange& range, const DotOutputs& outputs,
               const DotKernels& kernels = dot_kernels());
/// As above, for operands that are decoded already, so that many ranges can share them.
void exact_dot(const DecodedOperand& a, const DecodedOperand& b, const DotRange& range, const DotOutputs& outputs,
               const DotKernels& kernels = dot_kernels());

// The parameters of a tensor core on which its error bounds depend.

/// The model of a tensor core that adds products and partial results in one aligned sum. Empty for tensor cores that add in
/// another way (tree, joined sums, groups, integers) and for undocumented ones. `chunk`: AccumulatorModel::chunk.
std::optional<AccumulatorModel> accumulator_model(const Unit& unit, int64_t chunk);

}  // namespace assay
