#include "kernels/ops/quant_mx/problem.h"

namespace assay_kernels {
namespace {

ScaleTile tile_of(const Call& call) {
  const auto rows = int(call.number("scale_tile_rows", 1)), columns = int(call.number("scale_tile_columns", 1));
  if (rows == 1 && columns == 1) return ScaleTile::kNone;
  if (rows == 128 && columns == 4) return ScaleTile::k128x4;
  if (rows == 8 && columns == 4) return ScaleTile::k8x4;
  if (rows == 32 && columns == 8) return ScaleTile::k32x8;
  if (rows == 32 && columns == 4) return ScaleTile::k32x4;
  unsupported("scales in tiles of " + std::to_string(rows) + " x " + std::to_string(columns));
}

/// The byte tensor, dense and at least as large as the grid of blocks.
const assay_tensor& byte_scales(const Call& call, int64_t rows, int64_t groups) {
  const assay_tensor& scale = call.output("scale");
  if (!has_type(scale, ASSAY_FLOAT8_E8M0FNU, 8)) unsupported("contract " + call.contract() + " writes E8M0 bytes");
  const Shape shape = dense_matrix(scale);
  if (shape.rows < rows || shape.columns < groups) failed("scale holds fewer blocks than x has");
  return scale;
}

const int32_t* offsets(const Call& call, const char* role, int64_t* count) {
  const assay_tensor& tensor = call.input(role);
  if (!has_type(tensor, ASSAY_INT, 32)) unsupported(std::string(role) + " must be int32");
  if (tensor.ndim != 1 || tensor.shape[0] < 2) failed(std::string(role) + " must be a vector: an entry an expert and the end");
  *count = tensor.shape[0];
  return static_cast<const int32_t*>(tensor.data);
}

}  // namespace

void expect_mx_codes(const Call& call, Shape shape, int code_type) {
  const assay_tensor& q = call.output("q");
  const Shape out = dense_matrix(q);
  if (out.rows != shape.rows || out.columns != shape.columns) failed("q must have the shape of what is quantized");
  if (!has_type(q, code_type, 8)) unsupported("q has not the type of contract " + call.contract());
  if (int64_t(call.number("group_size")) != kMxBlock) unsupported("blocks of 32 elements only");
  if (shape.columns % kMxBlock != 0) failed("blocks of 32 do not divide the row of " + std::to_string(shape.columns));
  if (shape.rows * (shape.columns / kMxBlock) > 0x7fffffff - 1024) unsupported("more than 2^31 blocks");
  expect_aligned(q);
}

Shape mx_shape(const Call& call, int code_type) {
  const assay_tensor& x = call.input("x");
  const Shape shape = dense_matrix(x);
  expect_mx_codes(call, shape, code_type);
  expect_aligned(x);
  return shape;
}

BytesOut bytes_out(const Call& call, Shape x) {
  const int64_t groups = x.columns / kMxBlock;
  const assay_tensor& scale = byte_scales(call, x.rows, groups);
  const ScaleTile tile = tile_of(call);
  if (tile == ScaleTile::kNone) expect_matrix(scale, {x.rows, groups});
  return {static_cast<uint8_t*>(scale.data), x.rows, scale.shape[0], int32_t(groups), int32_t(scale.shape[1]), tile,
          Divider::by(uint32_t(groups))};
}

ExpertBytesOut expert_bytes_out(const Call& call, Shape x) {
  const int64_t groups = x.columns / kMxBlock;
  int64_t experts = 0, same = 0;
  const int32_t* first_row = offsets(call, "expert_offsets", &experts);
  const int32_t* first_scale = offsets(call, "blockscale_offsets", &same);
  if (experts != same) failed("expert_offsets and blockscale_offsets differ in length");
  const assay_tensor& scale = byte_scales(call, x.rows, groups);
  return {static_cast<uint8_t*>(scale.data),
          x.rows,
          int32_t(groups),
          int32_t(scale.shape[1]),
          int32_t(experts - 1),
          first_row,
          first_scale,
          Divider::by(uint32_t(groups))};
}

}  // namespace assay_kernels
