// Op kind "gated": from the two halves of a row, gate and up, computes one value per pair of elements.
#pragma once

#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& gated_flow();

class RowListener;

/// The n values of a row of 2n elements. Quantities in the cell: g (gate); u (up); u0 = u + 0, which is +0 if u is -0; uftz,
/// which is 0 if u is subnormal in fp32 and u otherwise, as a multiplication compiled with -ftz reads it.
Spans gated_values(const Gated& contract, const std::vector<double>& row, RowListener* listener = nullptr);

}  // namespace assay
