// Test cases of gemm_scaled: default cells with some changes, and a variant's results as outputs of a call.
#pragma once

#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/format.h"
#include "suites/gemm/gemm_case.h"
#include "suites/testing/case_with.h"
#include "suites/testing/outputs_of.h"

namespace assay::gemm_scaled_test {

inline const Op& gemm() { return shipped_op("gemm_scaled"); }

inline const TestCells kUsual = {{"contract", "torch.scaled_mm_tensor.sm_90"},
                                 {"m", "5"},
                                 {"n", "24"},
                                 {"k", "416"},
                                 {"fill", "few_maxima"},
                                 {"b", "few_maxima"},
                                 {"scales", "tensor"},
                                 {"scale", "scales"},
                                 {"y", "f32"},
                                 {"bias", ""},
                                 {"seed", "1"},
                                 {"warp", "32"}};

inline Case case_with(const TestCells& cells) { return case_of(gemm(), kUsual, cells); }

}  // namespace assay::gemm_scaled_test
