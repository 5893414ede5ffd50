// A scaled matrix product in words: what became of one element, and how far elements are from the exact product.
#pragma once

#include <string>
#include <vector>

#include "suites/gemm/gemm_case.h"

namespace assay {

/// The element at a row and column by the first program of the contract: the terms of a short chain, else each chain beside its
/// exact sum; promotion, scales, the result, and the exact product.
std::vector<std::string> trace_product(const GemmCase& c, const Problem& problem, int64_t row, int64_t column);

/// What stands beside every verdict: how far the worst element is from the exact product, in ulp and as a part of what any order of
/// the unit's additions may lose, and whether numbers are too large or too small on the whole. Of large products so many rows, evenly
/// spread, are multiplied exactly; the first remark then says how many.
std::vector<std::string> product_remarks(const GemmCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
