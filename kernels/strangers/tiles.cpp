// Layouts of scales: aiter.triton_mxfp8_n32k4, one e8m0 byte per 32 elements, in tiles of 32 rows and 4 blocks; and
// deepgemm.mn_major_tma_aligned_f32, which transposes fp32 scales.
#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kOverlap,    // the distance between row tiles is that of unpadded rows
  kThreeBits,  // rounds amax to a power of two by its three highest bits
  kOneNan,     // every NaN becomes the same
  kPastEnd,    // copies one element beyond the last one, too
};

void tiles(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q"), &scales = call.at("scale");
  const int64_t m = x.shape[0], n = x.shape[1], blocks = n / 32, places = (blocks + 3) / 4 * 4, rows = (m + 31) / 32 * 32;
  auto* const bytes = static_cast<uint8_t*>(scales.data);
  std::memset(bytes, 0, size_t(rows * places));
  const int64_t pitch = slip == Slip::kOverlap ? blocks : places;
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t block = 0; block < blocks; ++block) {
      float amax = 0;
      for (int64_t c = 32 * block; c < 32 * block + 32; ++c) amax = larger(amax, std::fabs(read(x, row_of(x, r) + c)));
      const uint32_t rounded_up = bits_of(amax) + (slip == Slip::kThreeBits ? 0x100000u : 0x200000u);
      const int exponent = rounded_up >= 0x7f800000u ? 254 : int(rounded_up >> 23) - 8, byte = exponent < 0 ? 0 : exponent;
      bytes[r / 32 * 32 * pitch + block / 4 * 128 + r % 32 * 4 + block % 4] = uint8_t(byte);
      const float m_of = std::ldexp(1.0f, 127 - byte);
      for (int64_t c = 32 * block; c < 32 * block + 32; ++c)
        static_cast<uint8_t*>(q.data)[row_of(q, r) + c] = to_e4m3(read(x, row_of(x, r) + c) * m_of);
    }
  }
}

void transpose(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &scales = call.at("scale");
  for (int64_t r = 0; r < x.shape[0]; ++r)
    for (int64_t c = 0; c < x.shape[1]; ++c) {
      uint32_t bits = static_cast<const uint32_t*>(x.data)[r * x.strides[0] + c * x.strides[1]];
      const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
      if (nan && slip == Slip::kOneNan) bits = 0x7fc00000u;
      static_cast<uint32_t*>(scales.data)[r * scales.strides[0] + c * scales.strides[1]] = bits;
    }
  if (slip == Slip::kPastEnd)
    static_cast<uint32_t*>(scales.data)[scales.bytes / 4] = static_cast<const uint32_t*>(x.data)[x.bytes / 4];
}

template <Slip kSlip>
Kernel transposed(const char* name) {
  return {name, "pack_scales", {"deepgemm.mn_major_tma_aligned_f32"}, {}, {}, with<transpose, kSlip>};
}
template <Slip kSlip>
Kernel tiled(const char* name) {
  return {name, "quant_group", {"aiter.triton_mxfp8_n32k4"}, {{"x", {"bf16"}}}, {{"n", 32}}, with<tiles, kSlip>};
}

}  // namespace

std::vector<Kernel> tiles_kernels() {
  return {
      tiled<Slip::kNone>("tiles"),
      tiled<Slip::kOverlap>("tiles_overlap"),
      tiled<Slip::kThreeBits>("tiles_three_bits"),
      transposed<Slip::kNone>("transpose"),
      transposed<Slip::kOneNan>("transpose_one_nan"),
      transposed<Slip::kPastEnd>("transpose_past_end"),
  };
}

}  // namespace assay_strangers
