// Inputs and outputs of a contract for one row of a matrix. All ops of these contracts treat each row separately.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// Inputs of one row of n elements; before an activation, x has 2n. gamma is empty for ops without a norm.
struct RowInputs {
  std::vector<double> x;
  std::vector<double> gamma;
  double eps = 0;                          ///< as passed to the op; converted to f32 before use
  int64_t group_size = 0;                  ///< columns per scale
  double scale_ub = HUGE_VAL;              ///< as passed to the op; converted to f32 before use
  std::vector<double> scale = {};          ///< per group, for a contract with scales as input
  Spans maxima = {};                       ///< amax of each group, over all rows of the group; empty: each group lies in one row,
                                           ///< so its amax is computed from x
  std::vector<double> zero = {};           ///< zero point per group, for a contract with zero points as input
  std::vector<double> residual = {};       ///< added to x before a norm with residual
  std::vector<double> beta = {};           ///< added by a norm that subtracts the mean
  std::vector<double> gate = {};           ///< per element: the activation of the gate multiplies the output of a norm
  std::vector<double> cos = {}, sin = {};  ///< for the row's position, one number per rotated pair
  int64_t coded = 0;                       ///< only the first `coded` elements are quantized; 0: all
  double outer_scale = 1;                  ///< f32 scale of the level above the groups; 1 if there is none
};

/// The kernel's outputs for this row, decoded. Vectors of tensors that the op does not have are empty.
struct StoredRow {
  std::vector<double> y, q, scale, zero = {};
};

/// Accepted real numbers of each output. Outputs that the op does not have are empty.
struct RowOutputs {
  Spans y;                                    ///< n, in x's format; present together with q if only some elements are quantized
  Spans q;                                    ///< n, in the code format
  Spans scale;                                ///< n / group_size, before conversion to the layout's format; empty if the scale
                                              ///< is an input
  Spans zero;                                 ///< n / group_size int32 zero points, for a row of quant_azp that computes them
  Spans residual;                             ///< n, in x's format, for a norm with residual
  Span r = point(0);                          ///< the factor r of a norm
  std::vector<std::string> joint_violations;  ///< messages: outputs that pass alone, but that no single r or mean explains
};

class RowListener;

/// Evaluates a contract for one row. `stored`, unless null: narrows r and other quantities that are no outputs to the values from
/// which the stored outputs can result. `listener`, unless null, receives every step.
RowOutputs evaluate_row(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format,
                        RowListener* listener = nullptr);

// Op kind "gated": from the two halves of a row, gate and up, computes one value per pair of elements.

/// The registry entry of this op kind.
const Flow& gated_flow();

/// The n values of a row of 2n elements. In the cell, g is the gate and u is up. u0 = u + 0, so -0 becomes +0. uftz is what a
/// multiplication compiled with -ftz reads: u, or 0 if u is subnormal in fp32.
Spans gated_values(const Gated& contract, const std::vector<double>& row, RowListener* listener = nullptr);

// Op kind "rope": pairs of a head's elements are rotated by an angle that depends on the token's position.

/// The registry entry of this op kind.
const Flow& rope_flow();

/// Cosine and sine of each pair at one position. In a cache [position, rotary], the first half of a row holds the cosines.
struct Angles {
  std::vector<double> cos, sin;
};

/// The two columns (even, odd) of each pair, for a head of `head` elements of which `pairs` pairs are rotated.
std::vector<std::pair<size_t, size_t>> rope_pairs(const Rope& contract, size_t head, size_t pairs);

/// A head after rotation. Elements outside of the pairs follow the cell `rest`.
Spans rope_outputs(const Rope& contract, const Spans& head, const Angles& angles, RowListener* listener = nullptr);

/// For each output: whether its magnitude grows if all elements of the head grow in magnitude. True for elements that are not
/// rotated, and if both terms of the rotation have the same sign. Only these outputs show whether r of a norm was too small.
std::vector<bool> rises_with_head(const Rope& contract, const Spans& head, const Angles& angles);

}  // namespace assay
