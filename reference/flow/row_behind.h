// A row after the first links of its contract, to be shared by contracts that differ only in later links.
#pragma once

#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"

namespace assay {

struct RowBehind {
  size_t links = 0;  ///< number of links already evaluated
  Spans values;
  RowOutputs out;
  NormRow norm;
};

/// Evaluates the first `links` links of a contract. These must not depend on stored outputs.
RowBehind row_behind(const Contract& contract, size_t links, const RowInputs& inputs, const Format& x_format);

/// Only its first `count` numbers: enough for links that treat each number, or each group, independently.
RowBehind first_numbers(const RowBehind& behind, size_t count);

/// evaluate_row() for the first `count` numbers only, of a contract that starts with a norm. The later links must be as for
/// first_numbers().
RowOutputs evaluate_first(const Contract& contract, const RowInputs& inputs, const Format& x_format, size_t count);

/// evaluate_row() of a contract that starts with the links already evaluated in `behind`.
RowOutputs evaluate_behind(const RowBehind& behind, const Contract& contract, const RowInputs& inputs, const StoredRow* stored,
                           const Format& x_format);

}  // namespace assay
