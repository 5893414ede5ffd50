// Op kind "gated": the two halves of a row, gate and up, give one value per pair.
#pragma once

#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& gated_flow();

class RowListener;

/// The n values from a row of 2n. Quantities of a cell: g and u, the halves; u0 = u + 0, which is +0 where u is -0;
/// uftz = u with subnormal fp32 numbers as zeros, as a multiplication compiled with -ftz reads it.
Spans gated_values(const Gated& contract, const std::vector<double>& row, RowListener* listener = nullptr);

}  // namespace assay
