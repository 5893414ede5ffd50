// Flow: each group of numbers shares one scale and one zero point, made of its least and its greatest number.
#pragma once

#include "reference/flow/group_quant/group_quant.h"

namespace assay {

/// The row of the registry.
const Flow& quant_azp_flow();

/// Scales and zero points of the groups of a row; group_codes() goes on from them. With `stored`, one that the contract leaves
/// free is narrowed to what was stored. A zero point that is undefined stays so: nothing follows from what was stored.
GroupScales zero_point_scales(const GroupQuant& contract, const Spans& values, const RowInputs& inputs, const StoredRow* stored,
                              RowListener* listener = nullptr);

}  // namespace assay
