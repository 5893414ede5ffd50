// Kernels of vllm.silu_and_mul@v0.24.0, and of vllm.silu_and_mul_per_block_quant, which keeps the product in fp32.
#include <vector>

#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kShortSeries,  // computes the exponential to an accuracy of 2^-18 only
  kClosed,       // gates below -20 give 0
  kPast2048,     // columns c >= 2048 of the up half are read at c - 8
  kRest8,        // in columns after the last whole vector of eight, multiplies by the gate instead of silu(gate)
  kOpen,         // passes gates above 10 unchanged; a NaN gate gives 0
  kRow16,        // rows >= 16 use the gates of row - 16
  kUpInHalf,     // rounds the up half to fp16
  kLastLeftOut,  // in columns >= 1024, amax ignores the last element of a group
  kScaleInBf16,  // rounds scales to bf16 before quantizing
  kSignOfScale,  // amax is the maximum of signed products, not of magnitudes
  kGateFlushed,  // reads subnormal fp16 gates as zero
  kPlusZero,     // products of -0 become +0
  kScaleFinite,  // an infinite scale becomes the largest finite number
};

float exponential(float v, Slip slip) {
  const auto e = float(std::exp(double(v)));
  return slip == Slip::kShortSeries ? e * (1.0f + 0x1p-18f) : e;
}

/// gate * sigmoid(gate).
float gated(float g, int64_t c, int64_t n, Slip slip, bool divides) {
  if (slip == Slip::kClosed && g < -20.0f) return 0.0f;
  if (slip == Slip::kRest8 && c >= n / 8 * 8) return g;
  if (slip == Slip::kGateFlushed && std::fabs(g) < 0x1p-14f) return 0.0f;
  if (slip == Slip::kOpen && !(g <= 10.0f)) return g != g ? 0.0f : g;
  const float below = 1.0f + exponential(-g, slip);
  return divides ? g / below : 1.0f / below * g;
}

struct Halves {
  const assay_tensor& x;
  int64_t n;
  Slip slip;
  float gate(int64_t r, int64_t c) const { return read(x, row_of(x, slip == Slip::kRow16 && r >= 16 ? r - 16 : r) + c); }
  float up(int64_t r, int64_t c) const {
    const float u = read(x, row_of(x, r) + n + (slip == Slip::kPast2048 && c >= 2048 ? c - 8 : c));
    return slip == Slip::kUpInHalf ? to_f16(u) : u;
  }
};

void silu_and_mul(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &y = call.at("y");
  const int64_t n = y.shape[1];
  const Halves of{x, n, slip};
  for (int64_t r = 0; r < y.shape[0]; ++r)
    for (int64_t c = 0; c < n; ++c)
      store(y, row_of(y, r) + c,
            rounded(y, rounded(y, gated(of.gate(r, c), c, n, slip, true)) * (of.up(r, c) + 0.0f)) +
                (slip == Slip::kPlusZero ? 0.0f : -0.0f));
}

void silu_blocks(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q"), &scales = call.at("scale");
  const int64_t n = q.shape[1], size = call.integer("group_size");
  const Halves of{x, n, slip};
  std::vector<float> row(static_cast<size_t>(n));
  for (int64_t r = 0; r < q.shape[0]; ++r) {
    for (int64_t c = 0; c < n; ++c) row[size_t(c)] = gated(of.gate(r, c), c, n, slip, false) * of.up(r, c);
    for (int64_t g = 0; g * size < n; ++g) {
      const int64_t begin = g * size, end = std::min(n, begin + size);
      float amax = 0;
      for (int64_t c = begin; c < (slip == Slip::kLastLeftOut && begin >= 1024 ? end - 1 : end); ++c)
        amax = larger(amax, slip == Slip::kSignOfScale ? row[size_t(c)] : std::fabs(row[size_t(c)]));
      float s = larger(amax / 448.0f, 1.0f / (512.0f * 448.0f));
      if (slip == Slip::kScaleFinite) s = smaller(s, 0x1.fffffep127f);
      static_cast<float*>(scales.data)[r * scales.strides[0] + g * scales.strides[1]] = s;
      if (slip == Slip::kScaleInBf16) s = to_bf16(s);
      for (int64_t c = begin; c < end; ++c)
        static_cast<uint8_t*>(q.data)[row_of(q, r) + c] = to_e4m3(larger(smaller(row[size_t(c)] / s, 448.0f), -448.0f));
    }
  }
}

template <Slip kSlip>
Kernel alone(const char* name) {
  return {name, "act_and_mul", {"vllm.silu_and_mul@v0.24.0"}, {{"x", {"bf16", "f16"}}}, {}, with<silu_and_mul, kSlip>};
}
template <Slip kSlip>
Kernel of_f16(const char* name) {
  return {name, "act_and_mul", {"vllm.silu_and_mul@v0.24.0"}, {{"x", {"f16"}}}, {}, with<silu_and_mul, kSlip>};
}
template <Slip kSlip>
Kernel blocks(const char* name) {
  return {name, "silu_mul_quant_group",  {"vllm.silu_and_mul_per_block_quant"}, {{"x", {"bf16", "f16"}}},
          {},   with<silu_blocks, kSlip>};
}

}  // namespace

std::vector<Kernel> act_kernels() {
  return {
      alone<Slip::kNone>("silu"),
      alone<Slip::kShortSeries>("silu_short_series"),
      alone<Slip::kClosed>("silu_closed"),
      alone<Slip::kPast2048>("silu_past_2048"),
      alone<Slip::kRest8>("silu_rest_8"),
      alone<Slip::kOpen>("silu_open"),
      alone<Slip::kRow16>("silu_row_16"),
      alone<Slip::kUpInHalf>("silu_up_in_half"),
      of_f16<Slip::kGateFlushed>("silu_flushes_gate"),
      alone<Slip::kPlusZero>("silu_plus_zero"),
      blocks<Slip::kScaleFinite>("silu_blocks_scale_finite"),
      blocks<Slip::kNone>("silu_blocks"),
      blocks<Slip::kShortSeries>("silu_blocks_short_series"),
      blocks<Slip::kClosed>("silu_blocks_closed"),
      blocks<Slip::kPast2048>("silu_blocks_past_2048"),
      blocks<Slip::kRow16>("silu_blocks_row_16"),
      blocks<Slip::kLastLeftOut>("silu_blocks_last_left_out"),
      blocks<Slip::kScaleInBf16>("silu_blocks_scale_in_bf16"),
      blocks<Slip::kSignOfScale>("silu_blocks_signed"),
  };
}

}  // namespace assay_strangers
