// A case's factors in the form of the exact dot product.
#pragma once

#include "reference/dot/dot_operand.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// `inputs` and the problem's tensors must outlive the result.
DotOperand operand_a(const GemmCase& c, const Problem& problem, const DotInputs& inputs);
DotOperand operand_b(const GemmCase& c, const Problem& problem, const DotInputs& inputs);

/// The product of the outer scales, which the exact product does not include; 1 without an outer level.
double outer_scale(const DotInputs& inputs, int64_t row, int64_t column);

/// Terms added to the exact product of an element: bias, c.
double beside_product(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column);

}  // namespace assay
