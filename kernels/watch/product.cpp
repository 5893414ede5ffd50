#include "kernels/watch/product.h"

#include "kernels/ops/dispatch.h"

namespace assay_kernels {
namespace {

ByteFormat format_of(const Call& call, const std::string& factor, const assay_tensor& t) {
  if (has_type(t, ASSAY_FLOAT8_E4M3FN, 8)) return {3, 7, 0x7f};
  if (has_type(t, ASSAY_FLOAT8_E5M2, 8)) return {2, 15, 0x7c};
  (void)call;
  unsupported(factor + " must be e4m3fn or e5m2");
}

int whole(const Call& call, const char* parameter, int least, int most) {
  const double value = call.number(parameter);
  if (!(value >= least && value <= most) || value != int(value))
    unsupported(std::string(parameter) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return int(value);
}

void predict(const Call& call) {
  const assay_tensor &a = call.input("a"), &b = call.input("b"), &d = call.output("d");
  const Shape of_a = dense_matrix(a), of_b = dense_matrix(b), of_d = dense_matrix(d);
  if (!has_type(d, ASSAY_FLOAT, 32) || of_d.rows != of_a.rows || of_d.columns != of_b.rows || of_a.columns != of_b.columns)
    failed("d must be f32 [m, n] of a [m, k] and b [n, k]");
  if (of_a.columns == 0 || of_a.columns % kMostOfBlock != 0) unsupported("k must be a multiple of " + std::to_string(kMostOfBlock));
  expect_aligned(a);
  expect_aligned(b);
  ProductArguments x{data_of<uint8_t>(a),
                     data_of<uint8_t>(b),
                     static_cast<float*>(d.data),
                     of_a.rows,
                     of_b.rows,
                     of_a.columns,
                     format_of(call, "a", a),
                     format_of(call, "b", b),
                     0,
                     0,
                     0};
  x.fraction_bits = whole(call, "fraction_bits", x.of_a.mantissa_bits + x.of_b.mantissa_bits, kMostFraction);
  x.result_bits = whole(call, "result_bits", x.fraction_bits, 23);
  x.promote = whole(call, "promote", 0, 1 << 20);
  const int take = whole(call, "take", 16, 32);
  const int64_t down = (x.m + kTile - 1) / kTile, across = (x.n + kTile - 1) / kTile;
  if (down * across == 0) return;
  const simt::Launch grid = call.grid(down * across, kProductThreads);
  if (take == 32) return simt::launch(watch_product<Take<32>>, grid, x, across);
  if (take == 16) return simt::launch(watch_product<Take<16>>, grid, x, across);
  unsupported("take must be 16 or 32");
}

}  // namespace

std::vector<Kernel> product_kernels() {
  return {{"watch_product", "watch_product", {"watch"}, {{"warp", simt::kWarpSizes}}, {}, predict}};
}

}  // namespace assay_kernels
