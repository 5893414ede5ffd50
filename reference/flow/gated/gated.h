// Op kind "gated": from the two halves of a row, gate and up, computes one value per pair of elements.
#pragma once

#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& gated_flow();

class RowListener;

/// The n values of a row of 2n elements. In the cell, g is the gate and u is up. u0 = u + 0, so -0 becomes +0. uftz is what a
/// multiplication compiled with -ftz reads: u, or 0 if u is subnormal in fp32.
Spans gated_values(const Gated& contract, const std::vector<double>& row, RowListener* listener = nullptr);

}  // namespace assay
