// Tensors of a call of gemm_scaled.

#include "kernels/ops/gemm_scaled/problem.h"

namespace assay_kernels {
namespace {

/// One, or one for each of so many rows.
int64_t step_of(const assay_tensor& t, int64_t rows) {
  if (!has_type(t, ASSAY_FLOAT, 32)) unsupported(named(t) + " must be f32");
  if (t.ndim != 1 || (t.shape[0] != 1 && t.shape[0] != rows)) unsupported(named(t) + " must be one number, or one for each row");
  if (t.shape[0] > 1 && t.strides[0] != 1) unsupported(named(t) + " must be dense");
  if (t.bytes < uint64_t(t.shape[0]) * sizeof(float)) failed(named(t) + " has less storage than elements");
  return t.shape[0] == 1 ? 0 : 1;
}

}  // namespace

GemmArguments gemm_arguments(const Call& call, int a_type, int b_type, bool takes_bias) {
  GemmArguments x{};
  static_cast<GemmOperands&>(x) = gemm_operands(call, a_type, b_type);
  const assay_tensor& d = call.output("d");
  const assay_tensor &sa = call.input("scale_a"), &sb = call.input("scale_b");
  x.step_of_scale_a = step_of(sa, x.m), x.step_of_scale_b = step_of(sb, x.n);
  x.scale_a = static_cast<const float*>(sa.data), x.scale_b = static_cast<const float*>(sb.data);
  if (const assay_tensor* bias = call.find("bias")) {
    if (!takes_bias) unsupported("this contract takes no bias");
    expect_vector(*bias, x.n, d);
    if (bias->type_code != d.type_code) unsupported("the bias must have the type of d");
    x.bias = bias->data;
  }
  return x;
}

}  // namespace assay_kernels
