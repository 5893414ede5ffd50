// Host-side checks before a GEMM starts: shapes, types, strides and storage of its operands and scales. This file defines no
// kernel, so libraries with kernels of their own link it too.
#include "kernels/ops/gemm/gemm_grouped_kernel.h"
#include "kernels/ops/gemm/gemm_scaled_kernel.h"
#include "kernels/ops/gemm/mma_kernel.h"

namespace assay_kernels {

// Reads the tensors of a gemm_scaled call.

namespace {

/// Distance in elements between the scales of adjacent rows: 0 if all rows share one scale, 1 if each row has a scale.
int64_t step_of(const assay_tensor& t, int64_t rows) {
  if (!has_type(t, ASSAY_FLOAT, 32)) unsupported(named(t) + " must be f32");
  if (t.ndim != 1 || (t.shape[0] != 1 && t.shape[0] != rows))
    unsupported(named(t) + " must be a vector of 1 or " + std::to_string(rows) + " scales");
  if (t.shape[0] > 1 && t.strides[0] != 1) unsupported(named(t) + " must be dense");
  if (t.bytes < uint64_t(t.shape[0]) * sizeof(float)) failed(named(t) + " has less storage than its elements need");
  return t.shape[0] == 1 ? 0 : 1;
}

/// The data of a dense vector of int32 with `rows` elements.
const int32_t* integers(const assay_tensor& t, int64_t rows) {
  if (!has_type(t, ASSAY_INT, 32)) unsupported(named(t) + " must be int32");
  if (t.ndim != 1 || t.shape[0] != rows || (rows > 1 && t.strides[0] != 1))
    unsupported(named(t) + " must be a dense vector of " + std::to_string(rows) + " elements");
  if (t.bytes < uint64_t(rows) * sizeof(int32_t)) failed(named(t) + " has less storage than its elements need");
  return static_cast<const int32_t*>(t.data);
}

/// Rejects a number k for which the int32 sum of k int8 products may overflow. With zero points, the limit of k is half as large.
void expect_room(int64_t k, Azp azp) {
  const int64_t largest_product = 128 * 128, sums = azp == Azp::kNone ? 1 : 2;
  if (k > INT32_MAX / (largest_product * sums)) unsupported("k is too large: the int32 sum of k products may overflow");
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
    if (!takes_bias) unsupported("this contract takes no bias, but the call has one");
    expect_vector(*bias, x.n, d);
    if (bias->type_code != d.type_code) unsupported("bias must have the type of d");
    x.bias = bias->data;
  }
  return x;
}

// Reads the tensors of a gemm_block_scaled call.

namespace {

int64_t blocks_of(int64_t count, int64_t size) { return (count + size - 1) / size; }

int64_t rounded_up(int64_t count, int64_t size) { return blocks_of(count, size) * size; }

BlockScales tiled_scales(const assay_tensor& t, int64_t rows, int64_t blocks, const ScaleLevel& level) {
  const Shape shape = dense_matrix(t);
  if (shape.rows != rounded_up(rows, level.tile_rows) || shape.columns != rounded_up(blocks, level.tile_blocks))
    unsupported(named(t) + " must be padded to whole tiles of " + std::to_string(level.tile_rows) + " rows and " +
                std::to_string(level.tile_blocks) + " blocks");
  return {static_cast<const float*>(t.data), shape.columns, 1, 1};
}

BlockScales scales(const Call& call, const char* role, int64_t all_rows, int64_t rows, int64_t k, const ScaleLevel& level,
                   int64_t products) {
  const assay_tensor& t = call.input(role);
  const int64_t blocks = blocks_of(k, products);
  if (!has_type(t, level.type, level.bits))
    unsupported(named(t) + " has a type that this kernel does not support for scales: " + assay::plugin::type_name(t));
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

const float* outer_scales(const Call& call, const char* role, int64_t count) {
  const assay_tensor& t = call.input(role);
  if (step_of(t, count) == 0 && count > 1) unsupported(named(t) + " must have one scale for each expert");
  return static_cast<const float*>(t.data);
}

const void* block_gemm_bias(const Call& call, const assay_tensor& bias, int64_t n, bool takes_bias) {
  if (!takes_bias) unsupported("this contract takes no bias, but the call has one");
  const assay_tensor& d = call.output("d");
  expect_vector(bias, n, d);
  if (bias.type_code != d.type_code) unsupported("bias must have the type of d");
  return bias.data;
}

// Reads the tensors of a gemm_grouped call.

namespace {

/// Rejects a tensor that is not dense with three dimensions [experts, rows, columns], such as the weights [experts, n, k].
void expect_dense(const assay_tensor& t, int64_t experts, Shape each) {
  if (t.ndim != 3 || t.shape[0] != experts || t.shape[1] != each.rows || t.shape[2] != each.columns)
    unsupported(named(t) + " must be [" + std::to_string(experts) + ", " + std::to_string(each.rows) + ", " +
                std::to_string(each.columns) + "]");
  if ((each.columns > 1 && t.strides[2] != 1) || (each.rows > 1 && t.strides[1] != each.columns) ||
      (experts > 1 && t.strides[0] != each.rows * each.columns))
    unsupported(named(t) + " must be dense");
  if (uint64_t(experts * each.rows * each.columns) * t.type_bits / 8 > t.bytes)
    failed(named(t) + " has less storage than its elements need");
}

/// Reads scales [experts, rows, blocks] with any strides. Returns the scales of expert 0; sets expert_stride, in elements.
BlockScales scales_of_experts(const Call& call, const char* role, int64_t experts, int64_t all_rows, int64_t rows, int64_t blocks,
                              int64_t& expert_stride, const ScaleLevel& level = kFloatScales) {
  const assay_tensor& t = call.input(role);
  const int64_t scale_rows = blocks_of(all_rows, rows);
  blocks = blocks_of(blocks, level.in_element);
  if (!has_type(t, level.type, level.bits))
    unsupported(named(t) + " has a type that this kernel does not support for scales: " + assay::plugin::type_name(t));
  if (t.ndim != 3 || t.shape[0] != experts || t.shape[1] != scale_rows || t.shape[2] != blocks)
    unsupported(named(t) + " must be [" + std::to_string(experts) + ", " + std::to_string(scale_rows) + ", " +
                std::to_string(blocks) + "]");
  if (t.strides[0] < 0 || t.strides[1] < 0 || t.strides[2] < 0) unsupported(named(t) + " has a negative stride");
  const int64_t last = (experts - 1) * t.strides[0] + (scale_rows - 1) * t.strides[1] + (blocks - 1) * t.strides[2];
  if (uint64_t(last + 1) * sizeof(float) > t.bytes) failed(named(t) + ": its last element lies beyond its storage");
  expert_stride = t.strides[0];
  return {static_cast<const float*>(t.data), t.strides[1], t.strides[2], rows};
}

/// Reads `a`, `b` and `d` of a grouped GEMM, with sizes and row pitches; the caller adds the rows of each expert and the scales. `topk`: rows
/// of d per row of a. `rows`: what the error message says about the number of rows of d.
template <class Arguments>
Arguments expert_operands(const Call& call, int a_type, int b_type, int64_t topk = 1, const char* rows = "as many rows as a") {
  const assay_tensor &a = gemm_codes(call, "a", a_type), &b = gemm_codes(call, "b", b_type), &d = call.output("d");
  const Shape of_a = matrix_of_rows(a), of_d = matrix_of_rows(d);
  if (b.ndim != 3 || b.shape[0] < 1) unsupported("b must have the shape [experts, n, k]");
  Arguments x{};
  x.a = static_cast<const uint8_t*>(a.data), x.b = static_cast<const uint8_t*>(b.data), x.d = d.data;
  x.y = result_type(d);
  x.m = of_d.rows, x.n = of_d.columns, x.k = of_a.columns, x.experts = b.shape[0];
  if (topk < 1 || of_a.rows * topk != x.m) unsupported(std::string("d must have ") + rows);
  expect_dense(b, x.experts, {x.n, x.k});
  if (a.type_bits == 4 && (x.k % 2 != 0 || a.strides[0] % 2 != 0)) unsupported("rows of 4-bit codes (a, b) must begin and end at whole bytes");
  x.pitch_a = a.strides[0], x.pitch_b = x.k, x.pitch_d = d.strides[0];
  return x;
}

}  // namespace

GroupedGemmArguments grouped_gemm_arguments(const Call& call, int a_type, int b_type, bool masked, int64_t rows_of_b,
                                            int64_t tile_rows, const ScaleLevel& level) {
  auto x = expert_operands<GroupedGemmArguments>(call, a_type, b_type);
  x.part = std::max<int64_t>(1, x.k);
  if (x.m % tile_rows != 0) unsupported("the number of rows of a must be a multiple of " + std::to_string(tile_rows));
  x.groups = integers(call.input(masked ? "tokens" : "expert_of_row"), masked ? x.experts : x.m);
  const int64_t blocks = blocks_of(x.k, kProductsOfScale);
  x.scale_b = scales_of_experts(call, "scale_b", x.experts, x.n, rows_of_b, blocks, x.scales_of_expert_b, level);
  if (!masked) {
    x.scale_a = scales(call, "scale_a", x.m, 1, x.k, level, kProductsOfScale);
    return x;
  }
  if (x.m % (x.experts * tile_rows) != 0)
    unsupported("a must have the same number of rows for each expert, a multiple of " + std::to_string(tile_rows));
  x.room = x.m / x.experts;
  x.scale_a = scales_of_experts(call, "scale_a", x.experts, x.room, 1, blocks, x.scales_of_expert_a, level);
  return x;
}

namespace {

/// The data of problem_sizes, an int32 [experts, 3]: rows, n and k of each expert.
const int32_t* problem_sizes(const Call& call, int64_t experts) {
  const assay_tensor& t = call.input("problem_sizes");
  if (!has_type(t, ASSAY_INT, 32)) unsupported(named(t) + " must be int32");
  const Shape shape = dense_matrix(t);
  if (shape.rows != experts || shape.columns != 3) unsupported(named(t) + " must be [experts, 3]");
  return static_cast<const int32_t*>(t.data);
}

/// All arguments of a GEMM with experts at offsets (gemm_grouped_kernel.h), except the scales.
template <class Arguments>
Arguments offset_operands(const Call& call, int a_type, int b_type, ExpertTensor rows, int64_t tile) {
  auto x = expert_operands<Arguments>(call, a_type, b_type);
  x.part = std::max<int64_t>(1, x.k);
  x.tiles = blocks_of(x.m, tile);
  if (rows == ExpertTensor::kTokens) {
    x.sizes = integers(call.input("tokens"), x.experts);
    if (x.m % x.experts != 0) unsupported("a must have the same number of rows for each expert");
    x.room = x.m / x.experts, x.tiles = blocks_of(x.room, tile);
  } else if (rows == ExpertTensor::kEnds)
    x.sizes = integers(call.input("expert_ends"), x.experts);
  else
    x.offsets = integers(call.input("expert_offsets"), x.experts), x.sizes = problem_sizes(call, x.experts);
  return x;
}

}  // namespace

OffsetMxArguments offset_mx_arguments(const Call& call, int a_type, int b_type, int64_t tile, const ScaleLevel& level, int64_t products) {
  auto x = offset_operands<OffsetMxArguments>(call, a_type, b_type, ExpertTensor::kOffsets, tile);
  x.tile_rows = integers(call.input("blockscale_offsets"), x.experts);
  const int64_t columns = rounded_up(blocks_of(x.k, products), level.tile_blocks), rows_b = rounded_up(x.n, level.tile_rows);
  const assay_tensor &sa = call.input("scale_a"), &sb = call.input("scale_b");
  for (const assay_tensor* t : {&sa, &sb})
    if (!has_type(*t, level.type, level.bits))
      unsupported(named(*t) + " has a type that this kernel does not support for scales: " + assay::plugin::type_name(*t));
  const Shape of_a = dense_matrix(sa);
  if (of_a.rows % level.tile_rows != 0 || of_a.columns != columns)
    unsupported(named(sa) + " must be padded to whole tiles of " + std::to_string(level.tile_rows) + " rows and " +
                std::to_string(level.tile_blocks) + " blocks");
  expect_dense(sb, x.experts, {rows_b, columns});
  x.scale_a = {static_cast<const float*>(sa.data), columns, 1, 1};
  x.scale_b = {static_cast<const float*>(sb.data), columns, 1, 1};
  x.scales_of_expert_b = rows_b * columns;
  return x;
}

OffsetBlockArguments offset_block_arguments(const Call& call, int a_type, int b_type, int64_t tile, int64_t rows_of_b, const ScaleLevel& level, int64_t products, int64_t scale_rows) {
  auto x = offset_operands<OffsetBlockArguments>(call, a_type, b_type, ExpertTensor::kEnds, tile);
  const int64_t rows_a = scale_rows > 0 ? (x.m + (scale_rows - 1) * x.experts) / scale_rows * scale_rows : x.m;
  x.scale_a = scales(call, "scale_a", rows_a, 1, x.k, level, products);
  x.scale_b = scales_of_experts(call, "scale_b", x.experts, x.n, rows_of_b, blocks_of(x.k, products), x.scales_of_expert_b, level);
  return x;
}

KGroupedArguments k_grouped_arguments(const Call& call, int a_type, int b_type, int64_t tile) {
  const assay_tensor &a = gemm_codes(call, "a", a_type), &b = gemm_codes(call, "b", b_type), &d = call.output("d"), &c = call.input("c");
  const Shape of_d = matrix_of_rows(d), of_c = dense_matrix(c);
  KGroupedArguments x{};
  x.experts = call.input("expert_products").shape[0];
  x.k_of = integers(call.input("expert_products"), x.experts);
  x.a = static_cast<const uint8_t*>(a.data), x.b = static_cast<const uint8_t*>(b.data), x.d = d.data, x.c = c.data;
  x.y = result_type(d);
  if (x.y != ResultType::kF32 || of_c.rows != of_d.rows || of_c.columns != of_d.columns || !has_type(c, ASSAY_FLOAT, 32))
    unsupported("c and d must be f32 and have the same shape");
  if (x.experts < 1 || of_d.rows % x.experts != 0) unsupported("d must have the same number of rows for each expert");
  x.m = of_d.rows / x.experts, x.n = of_d.columns, x.pitch_d = d.strides[0];
  x.tiles = blocks_of(x.m, tile);
  for (const assay_tensor* codes : {&a, &b})
    if (codes->ndim != 1 || (codes->shape[0] > 1 && codes->strides[0] != 1))
      unsupported(named(*codes) + " must be a dense vector: the codes of one expert after the other");
  if (x.m == 0 || x.n == 0 || a.shape[0] % x.m != 0 || a.shape[0] / x.m * x.n != b.shape[0]) unsupported("a and b must have the same sum of k over all experts");
  const int64_t k = a.shape[0] / x.m;
  x.scale_a = scales(call, "scale_a", x.m, 1, k, kFloatScales, kProductsOfScale);
  x.scale_b = scales(call, "scale_b", x.n, 1, k, kFloatScales, kProductsOfScale);
  return x;
}

OffsetGemmArguments offset_gemm_arguments(const Call& call, int a_type, int b_type, ExpertTensor rows, int64_t tile) {
  auto x = offset_operands<OffsetGemmArguments>(call, a_type, b_type, rows, tile);
  const assay_tensor &sa = call.input("scale_a"), &sb = call.input("scale_b");
  x.step_of_scale_a = step_of(sa, x.m);
  const bool of_experts = sb.ndim == 1 && sb.shape[0] == x.experts;
  (void)step_of(sb, of_experts ? x.experts : x.experts * x.n);
  if (sb.shape[0] == 1 && x.experts > 1) unsupported("scale_b must have one scale for each expert, or one scale for each row of b");
  x.step_of_scale_b = of_experts ? 0 : 1, x.scales_of_expert_b = of_experts ? 1 : x.n;
  x.scale_a = static_cast<const float*>(sa.data), x.scale_b = static_cast<const float*>(sb.data);
  return x;
}

// Reads the tensors of a fused_moe call.

namespace {

/// The data of a dense vector of int32 with at least `least` elements.
const int32_t* list_of(const Call& call, const char* role, int64_t least) {
  const assay_tensor& t = call.input(role);
  if (t.ndim != 1 || t.shape[0] < least) unsupported(named(t) + " must be a vector of at least " + std::to_string(least) + " elements");
  return integers(t, t.shape[0]);
}

/// The data of a dense f32 tensor of any shape with `count` elements.
const float* floats_of(const assay_tensor& t, int64_t count) {
  if (!has_type(t, ASSAY_FLOAT, 32)) unsupported(named(t) + " must be f32");
  int64_t stride = 1;
  for (int d = t.ndim; d-- > 0; stride *= t.shape[d])
    if (t.shape[d] > 1 && t.strides[d] != stride) unsupported(named(t) + " must be dense");
  if (stride != count) unsupported(named(t) + " must have " + std::to_string(count) + " elements");
  if (t.bytes < uint64_t(count) * sizeof(float)) failed(named(t) + " has less storage than its elements need");
  return static_cast<const float*>(t.data);
}

}  // namespace

FusedMoeArguments fused_moe_arguments(const Call& call, int a_type, int b_type, bool of_blocks) {
  const auto topk = int64_t(call.number("top_k"));
  auto x = expert_operands<FusedMoeArguments>(call, a_type, b_type, topk, "top_k rows for each row of a");
  const int64_t rows_of_a = x.m / topk;
  x.topk = topk, x.block_m = int64_t(call.number("block_m"));
  if (x.block_m < 1) unsupported("block_m must be positive");
  x.blocks = call.input("expert_ids").shape[0];
  x.experts_of_blocks = list_of(call, "expert_ids", 0);
  x.slots = list_of(call, "sorted_token_ids", x.blocks * x.block_m);
  x.end = list_of(call, "num_tokens_post_padded", 1);
  if (a_type == ASSAY_INT) expect_room(x.k, Azp::kNone);
  if (of_blocks) {
    x.scale_a = scales(call, "scale_a", rows_of_a, 1, x.k, kFloatScales, kProductsOfScale);
    x.scale_b = scales_of_experts(call, "scale_b", x.experts, x.n, kProductsOfScale, blocks_of(x.k, kProductsOfScale), x.scales_of_expert_b);
  } else {
    const assay_tensor &sa = call.input("scale_a"), &sb = call.input("scale_b");
    const bool of_experts = sb.ndim == 1 && sb.shape[0] == x.experts;
    x.scale_a = {static_cast<const float*>(sa.data), step_of(sa, rows_of_a), 0, 1};
    x.scale_b = {floats_of(sb, of_experts ? x.experts : x.experts * x.n), of_experts ? 0 : 1, 0, 1};
    x.scales_of_expert_b = of_experts ? 1 : x.n;
  }
  if (const assay_tensor* bias = call.find("bias")) x.bias = floats_of(*bias, x.experts * x.n);
  if (const assay_tensor* weights = call.find("topk_weights")) x.weights = floats_of(*weights, x.m);
  return x;
}

// Reads the tensors of an mma call. They hold tiles with the m and n of one tensor core instruction, and a multiple of its k.

namespace {

const assay_tensor& three_dimensions(const assay_tensor& t) {
  if (t.ndim != 3) failed(named(t) + " must have three dimensions");
  return t;
}

}  // namespace

int64_t tile_count(const Call& call) { return three_dimensions(call.input("c")).shape[0]; }

int64_t products_of(const Call& call) { return three_dimensions(call.input("a")).shape[2]; }

const uint8_t* tiles_of(const Call& call, const char* role, bool is_output, const TileShape& shape, int bits) {
  const assay_tensor& t = three_dimensions(is_output ? call.output(role) : call.input(role));
  const int64_t extents[] = {shape.tiles, shape.rows, shape.columns};
  int64_t stride = 1;
  for (int d = 2; d >= 0; --d) {
    if (t.shape[d] != extents[d])
      unsupported(named(t) + " must be [" + std::to_string(extents[0]) + ", " + std::to_string(extents[1]) + ", " +
                  std::to_string(extents[2]) + "]: tiles of the instruction, rows, columns");
    if (t.shape[d] > 1 && t.strides[d] != stride) unsupported(named(t) + " must be dense");
    stride *= t.shape[d];
  }
  if (t.type_bits != bits) unsupported(named(t) + " must have elements of " + std::to_string(bits) + " bits");
  if (uint64_t(stride) * uint64_t(bits) > t.bytes * 8) failed(named(t) + " has less storage than its elements need");
  return static_cast<const uint8_t*>(t.data);
}

}  // namespace assay_kernels
