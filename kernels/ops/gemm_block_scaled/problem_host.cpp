// Tensors of a call of gemm_block_scaled.
#include "kernels/ops/gemm_block_scaled/problem.h"

namespace assay_kernels {
namespace {

int64_t blocks_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

int64_t rounded_up(int64_t count, int64_t size) { return blocks_of(count, size) * size; }

BlockScales tiled_scales(const assay_tensor& t, int64_t rows, int64_t blocks, const ScaleLevel& level) {
  const Shape shape = dense_matrix(t);
  if (shape.rows != rounded_up(rows, level.tile_rows) || shape.columns != rounded_up(blocks, level.tile_blocks))
    unsupported(named(t) + " must have whole tiles of " + std::to_string(level.tile_rows) + " rows and " +
                std::to_string(level.tile_blocks) + " blocks");
  return {static_cast<const float*>(t.data), shape.columns, 1, 1};
}

BlockScales scales(const Call& call, const char* role, int64_t all_rows, int64_t rows, int64_t k, const ScaleLevel& level,
                   int64_t products) {
  const assay_tensor& t = call.input(role);
  const int64_t blocks = blocks_of(k, products);
  if (!has_type(t, level.type, level.bits))
    unsupported(named(t) + " has elements that are no scales of this kernel: " + assay::plugin::type_name(t));
  if (level.tile_rows > 1) return tiled_scales(t, all_rows, blocks, level);
  expect_matrix(t, {blocks_of(all_rows, rows), blocks_of(blocks, level.in_element)});
  return {static_cast<const float*>(t.data), t.strides[0], t.strides[1], rows};
}

}  // namespace

BlockGemmArguments block_gemm_arguments(const Call& call, int a_type, int b_type, int64_t rows_of_b, bool adds_c,
                                        const ScaleLevel& level, int64_t products) {
  BlockGemmArguments x{};
  static_cast<GemmOperands&>(x) = gemm_operands(call, a_type, b_type);
  x.scale_a = scales(call, "scale_a", x.m, 1, x.k, level, products);
  x.scale_b = scales(call, "scale_b", x.n, rows_of_b, x.k, level, products);
  if (!adds_c) return x;
  const assay_tensor &c = call.input("c"), &d = call.output("d");
  const Shape of_c = dense_matrix(c);
  if (of_c.rows != x.m || of_c.columns != x.n || c.type_code != d.type_code || c.type_bits != d.type_bits)
    unsupported("c must have the shape and the type of d");
  x.c = c.data;
  return x;
}

}  // namespace assay_kernels
