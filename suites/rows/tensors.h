// Creates the tensors of a case: filled inputs, described outputs.
#pragma once

#include "harness/core/op.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Copies the rows of a dense matrix to a distance of `stride` elements (0: unchanged), starting at element `offset`. The gaps
/// are filled with all-ones bits (NaN).
HostTensor rows_apart(const HostTensor& rows, int64_t stride, int64_t offset);
/// Input x [m, n].
HostTensor input_matrix(const RowCase& c);
/// Input x [m, 2n] of a gated contract: the gate's generator fills one half, up's generator the other. If the gate is a constant
/// power of two, such as 32 from gate_open, the other half is divided by it, so that the product has the generator's values.
HostTensor input_halves(const RowCase& c);
/// An int32 input determined by the case, not by random data: rows of experts, or their offsets.
HostTensor input_integers(const std::string& name, const std::vector<int64_t>& values);
/// The same as int64: positions and slots of tokens.
HostTensor input_int64(const std::string& name, const std::vector<int64_t>& values);
/// Input gamma [n] in the format of the weights, which defaults to x's format.
HostTensor input_gamma(const RowCase& c);
/// Input beta [n] in that format.
HostTensor input_beta(const RowCase& c);
/// Input gate [m, n] in x's format, for a norm with a gate.
HostTensor input_gate(const RowCase& c);
/// residual [m, n] in x's format, an in-place tensor.
HostTensor in_place_residual(const RowCase& c);
/// Input global_scale (f32), for contracts with two levels of scales: one per group of rows, or those of the outer level.
HostTensor input_outer_scale(const RowCase& c);
/// Output y [m, n] in x's format, or q [m, n] in the contract's format; 4-bit codes are packed.
HostTensor output_matrix(const std::string& name, const RowCase& c, const Format& format);
/// Output scale in the case's layout.
HostTensor output_scale(const RowCase& c);
/// Adds the call parameters that state the tile of a swizzled scale layout; none for other layouts.
void name_tiles(const RowCase& c, Problem& problem);
/// Input scale in the case's layout, for a contract that takes it.
HostTensor input_scale(const RowCase& c);

/// Output azp: one zero point per scale, in row-major order.
HostTensor output_zero(const RowCase& c);
/// Input azp, for a contract that takes it.
HostTensor input_zero(const RowCase& c);

/// Code format of the contract; x's format if it has none.
const Format& code_format(const RowCase& c);

}  // namespace assay
