// A case's factors as the exact dot product reads them.
#pragma once

#include "reference/dot/dot_operand.h"
#include "suites/gemm/gemm_case.h"

namespace assay {

/// `inputs` and the tensors of the problem must live as long.
DotOperand operand_a(const GemmCase& c, const Problem& problem, const DotInputs& inputs);
DotOperand operand_b(const GemmCase& c, const Problem& problem, const DotInputs& inputs);

/// The scales of an outer level, which the exact product does not hold; 1 without one.
double outer_scale(const DotInputs& inputs, int64_t row, int64_t column);

/// What joins the exact product of an element: a bias, c.
double beside_product(const GemmCase& c, const DotInputs& inputs, int64_t row, int64_t column);

}  // namespace assay
