// Calls of the CPU library for tests of its ops: random inputs, and codes and scales of one call.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/simt/simt.h"
#include "kernels/testing/library.h"

namespace assay_kernels {

inline const assay_library& library() { return open_library(ASSAY_CPU_LIBRARY); }

inline std::vector<uint16_t> random_bf16(size_t count, uint32_t seed, float spread = 4.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> x(count);
  for (auto& e : x) e = simt::bf16_bits_from_float(normal(random) * std::exp2(std::fmod(float(random() % 64), spread * 4)));
  return x;
}
inline float value(uint16_t code) { return simt::float_from_bf16_bits(code); }

struct Quantized {
  std::vector<uint8_t> q;
  std::vector<uint32_t> scale;  ///< storage, as bits or words; 0xa5a5a5a5 where nothing was written
  bool operator==(const Quantized& other) const { return q == other.q && scale == other.scale; }
};

enum class Layout { kRow, kColumn, kTma, kPacked };

/// One call of an op that quantizes by groups, in that layout of its scales.
inline Quantized quantize(const char* kernel, const char* contract, const std::vector<uint16_t>& x, int64_t m, int64_t n,
                          int64_t group, Layout layout, int warp, Type code = kE4m3fn) {
  const int64_t groups = n / group, aligned = (m + 3) / 4 * 4, words = (groups + 3) / 4;
  const bool packed = layout == Layout::kPacked;
  const int64_t pitch = layout == Layout::kColumn ? m : aligned;
  const size_t storage = size_t(layout == Layout::kRow ? m * groups : m + ((packed ? words : groups) - 1) * pitch);
  Quantized out{std::vector<uint8_t>(size_t(m * n), 0xa5), std::vector<uint32_t>(storage, 0xa5a5a5a5u)};
  CallBuilder call;
  call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", code, true, m, n, out.q.data());
  call.tensor("scale", packed ? kInt32 : kF32, true, {m, packed ? words : groups},
              layout == Layout::kRow ? std::vector<int64_t>{groups, 1} : std::vector<int64_t>{1, pitch}, out.scale.data(),
              storage * 4);
  call.parameter("group_size", double(group)).parameter("warp", warp);
  EXPECT_EQ(call.run(library(), "quant_group", contract, kernel), ASSAY_OK) << call.message();
  return out;
}

}  // namespace assay_kernels
