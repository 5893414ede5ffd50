// From a row of norm*.csv to what runs.
#pragma once

#include "reference/contracts/bind.h"
#include "reference/contracts/row_cells.h"
#include "reference/contracts/row_edits.h"

namespace assay {

Link bind_row_norm(const RowCells& cells, const Format& x);

/// The mistakes that a norm can have.
void add_row_norm_edits(RowEdits& edits);

}  // namespace assay
