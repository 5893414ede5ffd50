// A row on its way behind the first links of its contract: what contracts that differ in later links have in common.
#pragma once

#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"

namespace assay {

struct RowBehind {
  size_t links = 0;  ///< that it is behind
  Spans values;
  RowOutputs out;
  NormRow norm;
};

/// What so many first links of a contract make of a row. None of them looks at what was stored.
RowBehind row_behind(const Contract& contract, size_t links, const RowInputs& inputs, const Format& x_format);

/// Its first numbers alone: enough for links that look at every number, or at every group of them, by itself.
RowBehind first_numbers(const RowBehind& behind, size_t count);

/// evaluate_row() of the first numbers alone, of a contract that begins with a norm; of the links behind it as above.
RowOutputs evaluate_first(const Contract& contract, const RowInputs& inputs, const Format& x_format, size_t count);

/// evaluate_row() of a contract whose first links are those that the row is behind.
RowOutputs evaluate_behind(const RowBehind& behind, const Contract& contract, const RowInputs& inputs, const StoredRow* stored,
                           const Format& x_format);

}  // namespace assay
