// What goes into the contract of one row of a matrix and what comes out. Every op here works row by row.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// Inputs of one row. Rows of n numbers, behind an activation 2n; gamma is empty for ops without a norm.
struct RowInputs {
  std::vector<double> x;
  std::vector<double> gamma;
  double eps = 0;                          ///< as the op takes it; rounded to f32 on the way in
  int64_t group_size = 0;                  ///< columns per scale
  double scale_ub = HUGE_VAL;              ///< as the op takes it; rounded to f32 on the way in
  std::vector<double> scale = {};          ///< of each group, for a contract that takes it as an input
  Spans maxima = {};                       ///< of each group over all rows that share its scale; empty: groups lie in this row
  std::vector<double> zero = {};           ///< zero point of each group, of a contract that takes it as an input
  std::vector<double> residual = {};       ///< added to x before a norm that adds
  std::vector<double> beta = {};           ///< added by a norm that takes its mean off
  std::vector<double> gate = {};           ///< whose activation multiplies what a norm makes
  std::vector<double> cos = {}, sin = {};  ///< of the position, a number each rotated pair
  int64_t coded = 0;                       ///< numbers that become codes, the first ones, where others stay numbers; 0: all
  double outer_scale = 1;                  ///< of the level above the groups, an f32; 1 without one
};

/// What the kernel under test stored for this row, decoded. A tensor that is not there is empty.
struct StoredRow {
  std::vector<double> y, q, scale, zero = {};
};

/// Accepted reals of each output. An op without that output leaves it empty.
struct RowOutputs {
  Spans y;                                    ///< n, in x's format; beside codes where not all numbers become some
  Spans q;                                    ///< n, in the code format
  Spans scale;                                ///< n / group_size, before the layout's own format; empty if it is an input
  Spans zero;                                 ///< as many zero points, int32, of a row of quant_azp that makes them
  Spans residual;                             ///< n, in x's format, of a norm that adds
  Span r = point(0);                          ///< of a norm
  std::vector<std::string> joint_violations;  ///< each element passes alone, but not with the others
};

class RowListener;

/// Runs a contract. With `stored`, quantities behind the stored outputs are first narrowed to those that explain them.
/// `listener`, if there is one, is told every step.
RowOutputs evaluate_row(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format,
                        RowListener* listener = nullptr);

}  // namespace assay
