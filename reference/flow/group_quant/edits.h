// The mistakes that a row with one scale for each group can have.
#pragma once

#include "reference/contracts/row_edits.h"

namespace assay {

void add_group_quant_edits(RowEdits& edits);

}  // namespace assay
