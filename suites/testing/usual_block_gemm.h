// Test cases of gemm_block_scaled: default cells with some changes.
#pragma once

#include "suites/testing/case_with.h"

namespace assay::gemm_block_scaled_test {

inline const Op& gemm() { return shipped_op("gemm_block_scaled"); }

inline const TestCells kUsual = {{"contract", "torch.scaled_mm_1x128_1x128.sm_90"},
                                 {"m", "5"},
                                 {"n", "136"},
                                 {"k", "416"},
                                 {"fill", "few_maxima"},
                                 {"b", "few_maxima"},
                                 {"scales", "1x128_1x128"},
                                 {"scale", "amax_scales"},
                                 {"layout_a", "col"},
                                 {"layout_b", "row"},
                                 {"y", "f32"},
                                 {"c", ""},
                                 {"seed", "1"},
                                 {"warp", "32"}};

inline Case case_with(const TestCells& cells) { return case_of(gemm(), kUsual, cells); }

}  // namespace assay::gemm_block_scaled_test
