// From a case to tensors: inputs filled, outputs described.
#pragma once

#include "harness/core/op.h"
#include "suites/rows/row_case.h"

namespace assay {

/// The rows of a dense matrix `stride` elements apart (0: as they are), from element `offset` on. What lies between them is NaN,
/// all ones.
HostTensor rows_apart(const HostTensor& rows, int64_t stride, int64_t offset);
/// Input x [m, n].
HostTensor input_matrix(const RowCase& c);
/// Input x [m, 2n] of a gated contract: the fill of the gate in one half, that of up in the other. A gate of one constant, such as the
/// 32 of gate_open, is taken out of the other half: the product has the values that its fill names.
HostTensor input_halves(const RowCase& c);
/// Input of int32 numbers that belong to the case and not to its data: rows of experts, where they begin.
HostTensor input_integers(const std::string& name, const std::vector<int64_t>& values);
/// The same of int64: positions and places of tokens.
HostTensor input_int64(const std::string& name, const std::vector<int64_t>& values);
/// Input gamma [n] in the format of the weights, which is x's own unless the case says otherwise.
HostTensor input_gamma(const RowCase& c);
/// Input beta [n] in that format.
HostTensor input_beta(const RowCase& c);
/// Input gate [m, n] in x's format, of a norm that has one.
HostTensor input_gate(const RowCase& c);
/// residual [m, n] in x's format: read, and then overwritten.
HostTensor in_place_residual(const RowCase& c);
/// Input global_scale, f32: one for each group of rows, or those of the outer level. Of contracts with two levels.
HostTensor input_outer_scale(const RowCase& c);
/// Output y [m, n] in x's format, or q [m, n] in the contract's; codes of 4 bits two in a byte.
HostTensor output_matrix(const std::string& name, const RowCase& c, const Format& format);
/// Output scale in the case's layout.
HostTensor output_scale(const RowCase& c);
/// Parameters of the call that name the tile of a swizzled layout of scales; none for other layouts.
void name_tiles(const RowCase& c, Problem& problem);
/// Input scale in the case's layout, of a contract that takes it.
HostTensor input_scale(const RowCase& c);

/// Output azp: a zero point for each scale, row by row.
HostTensor output_zero(const RowCase& c);
/// Input azp, of a contract that takes it.
HostTensor input_zero(const RowCase& c);

/// Code format of the contract; x's own if it has none.
const Format& code_format(const RowCase& c);

}  // namespace assay
