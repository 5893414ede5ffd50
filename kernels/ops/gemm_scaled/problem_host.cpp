// Tensors of a call of gemm_scaled.
#include <algorithm>

#include "kernels/ops/gemm_scaled/problem.h"

namespace assay_kernels {
namespace {

const assay_tensor& codes(const Call& call, const char* role, int type) {
  const assay_tensor& t = call.input(role);
  if (!has_type(t, type, 8))
    unsupported(named(t) + " has elements that this kernel does not multiply: " + assay::plugin::type_name(t));
  (void)dense_matrix(t);
  return t;
}

/// One, or one for each of so many rows.
int64_t step_of(const assay_tensor& t, int64_t rows) {
  if (!has_type(t, ASSAY_FLOAT, 32)) unsupported(named(t) + " must be f32");
  if (t.ndim != 1 || (t.shape[0] != 1 && t.shape[0] != rows)) unsupported(named(t) + " must be one number, or one for each row");
  if (t.shape[0] > 1 && t.strides[0] != 1) unsupported(named(t) + " must be dense");
  if (t.bytes < uint64_t(t.shape[0]) * sizeof(float)) failed(named(t) + " has less storage than elements");
  return t.shape[0] == 1 ? 0 : 1;
}

ResultType result_type(const assay_tensor& d) {
  if (has_type(d, ASSAY_FLOAT, 32)) return ResultType::kF32;
  if (has_type(d, ASSAY_BFLOAT, 16)) return ResultType::kBf16;
  if (has_type(d, ASSAY_FLOAT, 16)) return ResultType::kF16;
  unsupported("d must be f32, bf16 or fp16");
}

}  // namespace

GemmArguments gemm_arguments(const Call& call, int a_type, int b_type, bool takes_bias) {
  GemmArguments x{};
  const assay_tensor &a = codes(call, "a", a_type), &b = codes(call, "b", b_type), &d = call.output("d");
  const Shape of_a = dense_matrix(a), of_b = dense_matrix(b), of_d = dense_matrix(d);
  if (of_a.columns != of_b.columns) unsupported("a and b must have as many columns");
  if (of_d.rows != of_a.rows || of_d.columns != of_b.rows)
    unsupported("d must have the rows of a and a column for each row of b");
  x.m = of_d.rows, x.n = of_d.columns, x.k = of_a.columns;
  x.a = static_cast<const uint8_t*>(a.data), x.b = static_cast<const uint8_t*>(b.data), x.d = d.data;
  x.y = result_type(d);
  const assay_tensor &sa = call.input("scale_a"), &sb = call.input("scale_b");
  x.step_of_scale_a = step_of(sa, x.m), x.step_of_scale_b = step_of(sb, x.n);
  x.scale_a = static_cast<const float*>(sa.data), x.scale_b = static_cast<const float*>(sb.data);
  if (const assay_tensor* bias = call.find("bias")) {
    if (!takes_bias) unsupported("this contract takes no bias");
    expect_vector(*bias, x.n, d);
    if (bias->type_code != d.type_code) unsupported("the bias must have the type of d");
    x.bias = bias->data;
  }
  x.part = std::max<int64_t>(1, x.k);
  return x;
}

int64_t part_of(int64_t k, int parts) {
  const int64_t tiles = (k + 127) / 128;
  return std::max<int64_t>(1, (tiles + parts - 1) / parts) * 128;
}

}  // namespace assay_kernels
