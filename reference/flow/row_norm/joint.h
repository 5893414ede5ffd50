// One mean and one r must explain everything that a kernel stored in a row (design: the row's r is one unknown).
#pragma once

#include <optional>
#include <string>

#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"

namespace assay {

/// Of a contract with a norm: the r that all outputs allow which, each by itself, may be what is stored. Empty if there is none;
/// then `contradiction` names two of them that cannot be had together. `wide`: what each of them may be.
std::optional<Span> factors_of_outputs(const Contract& contract, const RowInputs& inputs, const NormRow& row,
                                       const StoredRow& stored, const RowOutputs& wide, std::string& contradiction);

/// Of a norm that subtracts its mean and whose outputs are stored as they are: the means for which some r of `wide` gives each
/// output that may be what is stored. Empty if there is none; then `contradiction` names two outputs that cannot be had together.
std::optional<Span> means_of_outputs(const RowNorm& norm, const RowInputs& inputs, Span mu, const StoredRow& stored,
                                     const RowOutputs& wide, std::string& contradiction);

}  // namespace assay
