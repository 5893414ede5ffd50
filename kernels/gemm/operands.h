// Factors and result of a call of any GEMM, read and checked by the host.
#pragma once

#include <algorithm>

#include "kernels/ops/call.h"

namespace assay_kernels {

enum class ResultType : int { kF32, kBf16, kF16 };

struct GemmOperands {
  const uint8_t *a, *b;
  void* d;
  ResultType y;
  int64_t m, n, k;
  int64_t pitch_a, pitch_b, pitch_d;  ///< elements from one row to the next
  int64_t part;  ///< products of a part of k: parts are summed apart and added in f32 in their order
};

inline const assay_tensor& gemm_codes(const Call& call, const char* role, int type) {
  const assay_tensor& t = call.input(role);
  if (!has_type(t, type, 8))
    unsupported(named(t) + " has elements that this kernel does not multiply: " + assay::plugin::type_name(t));
  return t;
}

inline ResultType result_type(const assay_tensor& d) {
  if (has_type(d, ASSAY_FLOAT, 32)) return ResultType::kF32;
  if (has_type(d, ASSAY_BFLOAT, 16)) return ResultType::kBf16;
  if (has_type(d, ASSAY_FLOAT, 16)) return ResultType::kF16;
  unsupported("d must be f32, bf16 or fp16");
}

/// Refuses what is no such call: types of other codes than `a_type` and `b_type`, other shapes, rows that are no runs. d is
/// never empty unless m or n is 0. k is one part.
inline GemmOperands gemm_operands(const Call& call, int a_type, int b_type) {
  const assay_tensor &a = gemm_codes(call, "a", a_type), &b = gemm_codes(call, "b", b_type), &d = call.output("d");
  const Shape of_a = matrix_of_rows(a), of_b = matrix_of_rows(b), of_d = matrix_of_rows(d);
  if (of_a.columns != of_b.columns) unsupported("a and b must have as many columns");
  if (of_d.rows != of_a.rows || of_d.columns != of_b.rows)
    unsupported("d must have the rows of a and a column for each row of b");
  return {static_cast<const uint8_t*>(a.data),
          static_cast<const uint8_t*>(b.data),
          d.data,
          result_type(d),
          of_d.rows,
          of_d.columns,
          of_a.columns,
          a.strides[0],
          b.strides[0],
          d.strides[0],
          std::max<int64_t>(1, of_a.columns)};
}

/// Parts of whole `unit` products, as cuBLASLt cuts k.
inline int64_t part_of(int64_t k, int parts, int64_t unit) {
  const int64_t units = (k + unit - 1) / unit;
  return std::max<int64_t>(1, (units + parts - 1) / parts) * unit;
}

}  // namespace assay_kernels
