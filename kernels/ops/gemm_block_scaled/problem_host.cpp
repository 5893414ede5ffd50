// Tensors of a call of gemm_block_scaled.
#include "kernels/ops/gemm_block_scaled/problem.h"

namespace assay_kernels {
namespace {

int64_t blocks_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

BlockScales scales(const Call& call, const char* role, int64_t all_rows, int64_t rows, int64_t k, bool packed) {
  const assay_tensor& t = call.input(role);
  if (!has_type(t, packed ? ASSAY_INT : ASSAY_FLOAT, 32)) unsupported(named(t) + (packed ? " must be int32" : " must be f32"));
  expect_matrix(t, {blocks_of(all_rows, rows), blocks_of(blocks_of(k, kProductsOfScale), packed ? 4 : 1)});
  return {static_cast<const float*>(t.data), t.strides[0], t.strides[1], rows};
}

}  // namespace

BlockGemmArguments block_gemm_arguments(const Call& call, int a_type, int b_type, int64_t rows_of_b, bool adds_c, bool packed) {
  BlockGemmArguments x{};
  static_cast<GemmOperands&>(x) = gemm_operands(call, a_type, b_type);
  x.scale_a = scales(call, "scale_a", x.m, 1, x.k, packed);
  x.scale_b = scales(call, "scale_b", x.n, rows_of_b, x.k, packed);
  if (!adds_c) return x;
  const assay_tensor &c = call.input("c"), &d = call.output("d");
  const Shape of_c = dense_matrix(c);
  if (of_c.rows != x.m || of_c.columns != x.n || c.type_code != d.type_code || c.type_bits != d.type_bits)
    unsupported("c must have the shape and the type of d");
  x.c = c.data;
  return x;
}

}  // namespace assay_kernels
