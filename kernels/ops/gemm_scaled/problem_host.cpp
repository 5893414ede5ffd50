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

/// Integers, one for each of so many rows.
const int32_t* integers(const assay_tensor& t, int64_t rows) {
  if (!has_type(t, ASSAY_INT, 32)) unsupported(named(t) + " must be int32");
  if (t.ndim != 1 || t.shape[0] != rows || (rows > 1 && t.strides[0] != 1)) unsupported(named(t) + " must be one number for each row, and dense");
  if (t.bytes < uint64_t(rows) * sizeof(int32_t)) failed(named(t) + " has less storage than elements");
  return static_cast<const int32_t*>(t.data);
}

/// The largest sum of int8 products, and with zero points of int8 twice as much, must fit.
void expect_room(int64_t k, Azp azp) {
  const int64_t largest_product = 128 * 128, sums = azp == Azp::kNone ? 1 : 2;
  if (k > INT32_MAX / (largest_product * sums)) unsupported("so many products may overflow int32");
}

}  // namespace

GemmArguments gemm_arguments(const Call& call, int a_type, int b_type, bool takes_bias, Azp azp) {
  GemmArguments x{};
  static_cast<GemmOperands&>(x) = gemm_operands(call, a_type, b_type);
  const assay_tensor& d = call.output("d");
  const assay_tensor &sa = call.input("scale_a"), &sb = call.input("scale_b");
  x.step_of_scale_a = step_of(sa, x.m), x.step_of_scale_b = step_of(sb, x.n);
  x.scale_a = static_cast<const float*>(sa.data), x.scale_b = static_cast<const float*>(sb.data);
  if (a_type == ASSAY_INT) expect_room(x.k, azp);
  if (azp != Azp::kNone) x.azp_adj = integers(call.input("azp_adj"), x.n);
  if (azp == Azp::kTokens) x.azp = integers(call.input("azp"), x.m);
  if (const assay_tensor* bias = call.find("bias")) {
    if (!takes_bias) unsupported("this contract takes no bias");
    expect_vector(*bias, x.n, d);
    if (bias->type_code != d.type_code) unsupported("the bias must have the type of d");
    x.bias = bias->data;
  }
  return x;
}

}  // namespace assay_kernels
