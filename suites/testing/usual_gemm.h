// Cases of gemm_scaled for its tests: usual cells, some of them changed, and what a program makes of a case as outputs of a call.
#pragma once

#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/format.h"
#include "suites/gemm/gemm_case.h"
#include "suites/registry.h"
#include "suites/rulebook.h"
#include "suites/testing/case_with.h"

namespace assay::gemm_scaled_test {

inline const Op& gemm() {
  static const bool open = (open_rulebook(ASSAY_SOURCE_DIR), true);
  (void)open;
  return find_op("gemm_scaled");
}

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

inline std::vector<HostTensor> outputs_of(const Case& one, const Problem& problem, const Answer& answer) {
  std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
  outputs[0].bytes.resize(outputs[0].spec.bytes());
  const std::vector<WholePart> d = computed(answer);
  for (size_t i = 0; i < d[0].low.size(); ++i)
    outputs[0].set_code(int64_t(i), code_from_ordinal(*read_gemm_case(one).y, d[0].low[i]));
  return outputs;
}

}  // namespace assay::gemm_scaled_test
