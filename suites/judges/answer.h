// Outputs of one call as a test of the field sees them: numbers, not accepted sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/core/op.h"

namespace assay::judges {

/// One tensor in row-major order: the codes and what they stand for. Without a format: none.
struct Numbers {
  const Format* format = nullptr;
  std::vector<uint32_t> codes;
  std::vector<double> values;
};

/// Numbers of these codes.
Numbers numbers(const Format& format, std::vector<uint32_t> codes);

struct Answer {
  Numbers result;                        ///< q, d, or y of an op that does not quantize; of all ranks, one after the other
  Numbers residual;                      ///< of all ranks, if there is one
  Numbers zero;                          ///< zero points, if the op stores some
  Numbers scale;                         ///< none if the op does not store one
  std::vector<std::byte> scale_storage;  ///< with its padding
  std::vector<double> dequantized;       ///< q less its zero point, times its scale in fp32, as the tests compute it
  std::vector<double> input;             ///< x
};

/// Whether a rule can compare anything of these outputs: codes, normalised numbers, or a scaled product. An activation alone, half as wide as its x, has none.
bool is_comparable(const Problem& problem);

/// The outputs of a call on a case of ranks, on a GEMM, or on a row-wise one, whose problem is comparable.
Answer answer_of(const Case& one, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay::judges
