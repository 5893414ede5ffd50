#include "kernels/ops/all_reduce_rms_norm/run.h"

namespace assay_kernels {
namespace {

constexpr int64_t kMostRows = 1 << 20, kMostColumns = 1 << 14;

void take(const Call& call, int rank, const char* x_role, const char* gamma_role, const char* y_role, ShardedRows& matrix,
          int64_t& rows) {
  const assay_tensor &x = call.input(x_role), &gamma = call.input(gamma_role), &y = call.output(y_role);
  const Shape shape = dense_matrix(x);
  expect_vector(gamma, shape.columns, x);
  expect_matrix(y, shape);
  if (dense_matrix(y).columns != shape.columns || !has_type(y, x.type_code, x.type_bits)) failed(named(y) + " must be as x");
  for (const assay_tensor* tensor : {&x, &gamma, &y}) expect_aligned(*tensor);
  if (shape.columns * x.type_bits / 8 % 16 != 0) unsupported("rows must have a multiple of 16 bytes");
  if (shape.rows > kMostRows || shape.columns > kMostColumns) unsupported("so many numbers");
  if ((rank > 0 || rows > 0) && shape.rows != rows) failed("ranks must have as many rows each");
  if (rank > 0 && shape.columns != matrix.columns) failed("ranks must have as many columns each");
  rows = shape.rows;
  matrix.columns = int(shape.columns);
  matrix.x[rank] = x.data;
  matrix.gamma[rank] = gamma.data;
  matrix.y[rank] = y.data;
}

}  // namespace

ShardedNormArguments sharded_norm_arguments(const Ranks& ranks, bool second) {
  ShardedNormArguments a{};
  a.ranks.ranks = ranks.size;
  a.ranks.area_bytes = int64_t(ranks.area_bytes);
  for (int r = 0; r < ranks.size; ++r) {
    const Call call(*ranks.calls[r]);
    take(call, r, "x", "gamma", "y", a.first, a.rows);
    if (second) take(call, r, "k", "gamma_k", "y_k", a.second, a.rows);
    if (!second && call.find("k")) unsupported("one matrix alone");
    a.ranks.area[r] = static_cast<unsigned char*>(ranks.areas[r]);
  }
  return a;
}

AreaRequest squares_area(const Call& call) {
  const int64_t rows = dense_matrix(call.input("x")).rows;
  AreaRequest sums{kSquares, size_t(kAreaBuffer + kLamportBuffers * rows * 16 * call.raw().world_size), nullptr};
  sums.fill = fill_with_minus_zero;
  return sums;
}

}  // namespace assay_kernels
