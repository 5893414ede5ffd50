// Flow: two halves of a row, gate and up, make one number each.
#pragma once

#include "reference/contracts/bind.h"
#include "reference/recipe/span.h"

namespace assay {

/// The row of the registry.
const Flow& gated_flow();

/// The n numbers that a row of 2n makes.
Spans gated_values(const Gated& contract, const std::vector<double>& row);

/// Gate and up of one place.
struct GateAndUp {
  double gate, up;
};
GateAndUp gate_and_up(const Gated& contract, const std::vector<double>& row, size_t place);

}  // namespace assay
