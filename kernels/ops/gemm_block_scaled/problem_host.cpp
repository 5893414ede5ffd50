// Tensors of a call of gemm_block_scaled.
#include "kernels/ops/gemm_block_scaled/problem.h"

namespace assay_kernels {
namespace {

int64_t blocks_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

int64_t rounded_up(int64_t count, int64_t size) { return blocks_of(count, size) * size; }

BlockScales tiled_scales(const assay_tensor& t, int64_t rows, int64_t blocks) {
  if (!has_type(t, ASSAY_FLOAT8_E8M0FNU, 8)) unsupported(named(t) + " must be E8M0 bytes");
  const Shape shape = dense_matrix(t);
  if (shape.rows != rounded_up(rows, 128) || shape.columns != rounded_up(blocks, 4))
    unsupported(named(t) + " must have whole tiles of 128 rows and 4 blocks");
  return {static_cast<const float*>(t.data), shape.columns, 1, 1};
}

BlockScales scales(const Call& call, const char* role, int64_t all_rows, int64_t rows, int64_t k, ScaleForm form, int64_t products) {
  const assay_tensor& t = call.input(role);
  const int64_t blocks = blocks_of(k, products);
  if (form == ScaleForm::kTiled) return tiled_scales(t, all_rows, blocks);
  const bool packed = form == ScaleForm::kPacked;
  if (!has_type(t, packed ? ASSAY_INT : ASSAY_FLOAT, 32)) unsupported(named(t) + (packed ? " must be int32" : " must be f32"));
  expect_matrix(t, {blocks_of(all_rows, rows), blocks_of(blocks, packed ? 4 : 1)});
  return {static_cast<const float*>(t.data), t.strides[0], t.strides[1], rows};
}

}  // namespace

BlockGemmArguments block_gemm_arguments(const Call& call, int a_type, int b_type, int64_t rows_of_b, bool adds_c, ScaleForm form,
                                        int64_t products) {
  BlockGemmArguments x{};
  static_cast<GemmOperands&>(x) = gemm_operands(call, a_type, b_type);
  x.scale_a = scales(call, "scale_a", x.m, 1, x.k, form, products);
  x.scale_b = scales(call, "scale_b", x.n, rows_of_b, x.k, form, products);
  if (!adds_c) return x;
  const assay_tensor &c = call.input("c"), &d = call.output("d");
  const Shape of_c = dense_matrix(c);
  if (of_c.rows != x.m || of_c.columns != x.n || c.type_code != d.type_code || c.type_bits != d.type_bits)
    unsupported("c must have the shape and the type of d");
  x.c = c.data;
  return x;
}

}  // namespace assay_kernels
