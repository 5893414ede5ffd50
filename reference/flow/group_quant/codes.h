// What all rows with codes have in common when they are bound.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/row_cells.h"
#include "reference/flow/group_quant/contract.h"

namespace assay {

/// The cells mult and code. `sources`: quantities that the multiplier may begin with.
void bind_codes(const RowCells& cells, Names& names, const std::vector<std::string>& sources, GroupQuant& g);

/// A row of group_quant or of cache_insert.
GroupQuant bind_group_quant(const RowCells& cells, const Format& x);

}  // namespace assay
