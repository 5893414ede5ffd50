// Outputs of a call as a test of another project sees them: numbers instead of accepted intervals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/core/op.h"

namespace assay::judges {

/// One tensor in row-major order: codes and values. Without a format: absent.
struct Numbers {
  const Format* format = nullptr;
  std::vector<uint32_t> codes;
  std::vector<double> values;
};

/// Converts codes to numbers.
Numbers numbers(const Format& format, std::vector<uint32_t> codes);

struct Answer {
  Numbers result;                        ///< q, d, or y for an op without quantization; all ranks concatenated
  Numbers residual;                      ///< of all ranks, if present
  Numbers zero;                          ///< zero points, if the op stores them
  Numbers scale;                         ///< absent if the op stores none
  std::vector<std::byte> scale_storage;  ///< includes padding
  std::vector<double> dequantized;       ///< (q - zero point) * scale in fp32, as the tests compute it
  std::vector<double> input;             ///< x
};

/// Whether a rule can compare these outputs: codes, normalized numbers or a scaled GEMM. False for an activation alone (half as
/// wide as its x).
bool is_comparable(const Problem& problem);

/// The outputs of a call with ranks, of a GEMM, or of a row-wise op, for a comparable problem.
Answer answer_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay::judges
