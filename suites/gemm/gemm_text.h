// Text about a scaled GEMM: the trace of one element, and distances from the exact product.
#pragma once

#include <string>
#include <vector>

#include "suites/gemm/gemm_case.h"

namespace assay {

/// Trace of an element with the contract's first variant: every term of a short chain, or each chain with its exact sum;
/// promotions, scales, the result, and the exact product.
std::vector<std::string> trace_product(const GemmCase& c, const Problem& problem, int64_t row, int64_t column);

/// Remarks in every verdict: the distance of the worst element from the exact product, in ulp and relative to the loss that any
/// order of additions may cause; and whether results are too large or too small overall. For a large GEMM only some evenly spread
/// rows are computed exactly; the first remark then states how many.
std::vector<std::string> product_remarks(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
