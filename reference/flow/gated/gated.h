// Flow: two halves of a row, gate and up, make one number each.
#pragma once

#include "reference/flow/contract.h"
#include "reference/recipe/recipe.h"

namespace assay {

/// The row of the registry.
const Flow& gated_flow();

class RowListener;

/// The n numbers that a row of 2n makes. The quantities of a cell: g and u, the halves; u0, u + 0, which is +0 where u is -0.
Spans gated_values(const Gated& contract, const std::vector<double>& row, RowListener* listener = nullptr);

}  // namespace assay
