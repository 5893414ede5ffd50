// Converts a variant's answer for a GEMM to the outputs of a call.
#pragma once

#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/op.h"

namespace assay {

/// d with the lowest accepted code of each element.
inline std::vector<HostTensor> outputs_of(const Problem& problem, const Answer& answer) {
  std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
  outputs[0].bytes.resize(outputs[0].spec.bytes());
  const std::vector<WholePart> d = computed(answer);
  for (size_t i = 0; i < d[0].low.size(); ++i)
    outputs[0].set_code(int64_t(i), code_from_ordinal(*outputs[0].spec.format, d[0].low[i]));
  return outputs;
}

}  // namespace assay
