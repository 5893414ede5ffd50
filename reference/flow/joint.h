// One r must explain everything that a kernel stored in a row (design: the row's r is one unknown).
#pragma once

#include <string>

#include "reference/flow/row.h"
#include "reference/flow/row_norm.h"

namespace assay {

/// Of a contract with a norm whose outputs, each by itself, may be what is stored: empty, or the two elements that cannot be had
/// together. `wide`: what each of them may be.
std::string contradiction_of(const Contract& contract, const RowInputs& inputs, const NormRow& row, const StoredRow& stored,
                             const RowOutputs& wide);

}  // namespace assay
