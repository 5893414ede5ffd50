// Kernels of group quantization, with fp32 scales (vllm.group_fp8@v0.33.0) and packed UE8M0 scales (vllm.group_fp8_packed).
#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kPast8192,       // groups in columns >= 8192 use the scale of the last group before these columns
  kRow64,          // row indices wrap at 64: a grid of 64 blocks without a loop
  kPitch8,         // pads columns of scales to 8 rows instead of 4
  kLastLeftOut,    // in rows longer than 4096, amax ignores the last element
  kRest512,        // in columns after the last multiple of 512, amax is the maximum of signed values
  kReadsOn,        // if the row length is not a power of two, amax includes the first element of the next row
  kFlushes,        // flushes subnormal codes to zero
  kScaleBound,     // limits scales to 1e30
  kUlp,            // the reciprocal of one scale in sixteen is one ulp too large
  kTiesAway,       // the cast rounds ties away from zero
  kThroughHalf,    // first rounds quotients to fp16
  kPlusZero,       // stores +0 for -0
  kNanToZero,      // stores 0 for NaN
  kFmax,           // takes the maximum by std::fmax, which forgets the earlier maximum at a signaling NaN
  kFirstRow,       // in the first row, every group uses the scale of group 0
  kWords8,         // pads columns of packed words to 8 rows instead of 4
  kLastWord,       // if groups % 4 == 3, does not write padding bytes
  kExponentField,  // subtracts 240 from exponent bytes above 240
  kRow32,          // rows >= 32 use the scales of row - 32
  kHalfFactor,     // for fp16 inputs, rounds the multiplier to fp16, so 2^16 becomes Inf
  kOverlap,    // computes the distance between tiles of rows without the padding of rows
  kThreeBits,  // rounds amax up to the next power of two if its mantissa is at least 1.875, not 1.75
  kOneNan,     // stores 0x7fc00000 for every NaN
  kPastEnd,    // copies one element too many, beyond the last one
};

float amax_of(const assay_tensor& x, int64_t r, int64_t begin, int64_t end, Slip slip) {
  const int64_t n = x.shape[1], row = row_of(x, r);
  float amax = 0;
  for (int64_t c = begin; c < end; ++c) {
    if (slip == Slip::kLastLeftOut && c == n - 1 && n > 4096) continue;
    const float v = read(x, row + c);
    amax = slip == Slip::kFmax ? std::fmax(amax, std::fabs(v))
                               : larger(amax, slip == Slip::kRest512 && c >= n / 512 * 512 ? v : std::fabs(v));
  }
  if (slip == Slip::kReadsOn && end == n && (n & (n - 1)) != 0 && r + 1 < x.shape[0])
    amax = larger(amax, std::fabs(read(x, row_of(x, r + 1))));
  return larger(amax, 1e-10f);
}

uint8_t code_of(float v, Slip slip) {
  if (slip == Slip::kNanToZero && v != v) return 0;
  const float bounded = smaller(larger(v, -448.0f), 448.0f);  // NaN becomes -448
  if (slip == Slip::kFlushes && std::fabs(bounded) < 0x1p-6f) return std::signbit(bounded) ? 0x80 : 0;
  const uint8_t code =
      to_e4m3(slip == Slip::kThroughHalf ? to_f16(bounded) : bounded, slip == Slip::kTiesAway ? Ties::kAway : Ties::kEven);
  return slip == Slip::kPlusZero && code == 0x80 ? 0 : code;
}

void group_fp8(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q"), &scales = call.at("scale");
  const int64_t m = x.shape[0], n = x.shape[1], size = call.integer("group_size");
  auto* const codes = static_cast<uint8_t*>(q.data);
  auto* const scale_at = static_cast<float*>(scales.data);
  const bool by_columns = scales.strides[0] == 1 && m > 1;
  const int64_t pitch = slip == Slip::kPitch8 && by_columns ? (m + 7) / 8 * 8 : scales.strides[1];
  for (int64_t r = 0; r < m; ++r) {
    const int64_t from = slip == Slip::kRow64 ? r % 64 : r;
    float s = 0, first = 0;
    for (int64_t g = 0; g * size < n; ++g) {
      const int64_t begin = g * size, end = std::min(n, begin + size);
      if (slip != Slip::kPast8192 || begin < 8192) s = amax_of(x, from, begin, end, slip) / 448.0f;
      if (slip == Slip::kScaleBound) s = smaller(s, 1e30f);
      if (g == 0) first = s;
      if (slip == Slip::kFirstRow && r == 0) s = first;
      scale_at[r * scales.strides[0] + g * pitch] = s;
      float m_of = 1.0f / s;
      if (slip == Slip::kUlp && (bits_of(s) & 15u) == 11u) m_of = from_bits(bits_of(m_of) + 1);
      for (int64_t c = begin; c < end; ++c) codes[row_of(q, r) + c] = code_of(read(x, row_of(x, from) + c) * m_of, slip);
    }
  }
}

void group_packed(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q"), &words = call.at("scale");
  const int64_t m = x.shape[0], n = x.shape[1], size = call.integer("group_size"), groups = (n + size - 1) / size;
  const int64_t pitch = slip == Slip::kWords8 ? (m + 7) / 8 * 8 : words.strides[1], rows = (m + 3) / 4 * 4;
  auto* const codes = static_cast<uint8_t*>(q.data);
  auto* const bytes = static_cast<uint8_t*>(words.data);
  const auto place = [&](int64_t r, int64_t g) { return 4 * (g / 4 * pitch + r) + g % 4; };
  const int64_t last = (groups + 3) / 4 - 1;
  for (int64_t word = 0; word <= last; ++word)  // the padding rows of the last column of words are not allocated
    for (int64_t r = 0; r < (word == last ? m : rows); ++r)
      for (int64_t g = 4 * word; g < 4 * word + 4; ++g)
        if (!(slip == Slip::kLastWord && groups % 4 == 3)) bytes[place(r, g)] = 0;
  for (int64_t r = 0; r < m; ++r) {
    const int64_t from = slip == Slip::kRow32 && r >= 32 ? r - 32 : slip == Slip::kRow64 ? r % 64 : r;
    float s = 0;
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t begin = g * size, end = std::min(n, begin + size);
      if (slip != Slip::kPast8192 || begin < 8192) s = larger(amax_of(x, from, begin, end, slip) / 448.0f, 1e-10f);
      const uint32_t bits = bits_of(s), exponent = (bits >> 23) + ((bits & 0x7fffffu) != 0);
      bytes[place(r, g)] = uint8_t(slip == Slip::kExponentField && exponent > 240 ? exponent - 240 : exponent);
      float m_of = exponent >= 255 ? 0.0f : exponent == 254 ? 0x1p-127f : from_bits((254u - exponent) << 23);
      if (slip == Slip::kHalfFactor && x.type_code == ASSAY_FLOAT && x.type_bits == 16) m_of = to_f16(m_of);
      for (int64_t c = begin; c < end; ++c) codes[row_of(q, r) + c] = code_of(read(x, row_of(x, r) + c) * m_of, slip);
    }
  }
}

template <Slip kSlip>
Kernel plain(const char* name) {
  return {name, "quant_group", {"vllm.group_fp8@v0.33.0"}, {{"x", {"bf16", "f16", "f32"}}}, {}, with<group_fp8, kSlip>};
}
template <Slip kSlip>
Kernel packed(const char* name) {
  return {name, "quant_group", {"vllm.group_fp8_packed"}, {{"x", {"bf16", "f16"}}}, {}, with<group_packed, kSlip>};
}

// Layouts of scales. aiter.triton_mxfp8_n32k4 has one e8m0 byte per 32 elements, in tiles of 32 rows and 4 blocks.
// deepgemm.mn_major_tma_aligned_f32 transposes fp32 scales.

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

std::vector<Kernel> group_kernels() {
  return {
      plain<Slip::kNone>("group"),
      plain<Slip::kPast8192>("group_past_8192"),
      plain<Slip::kRow64>("group_row_64"),
      plain<Slip::kPitch8>("group_pitch_8"),
      plain<Slip::kLastLeftOut>("group_last_left_out"),
      plain<Slip::kRest512>("group_rest_512"),
      plain<Slip::kReadsOn>("group_reads_on"),
      plain<Slip::kFlushes>("group_flushes"),
      plain<Slip::kScaleBound>("group_scale_bound"),
      plain<Slip::kUlp>("group_ulp"),
      plain<Slip::kTiesAway>("group_ties_away"),
      plain<Slip::kThroughHalf>("group_through_half"),
      plain<Slip::kPlusZero>("group_plus_zero"),
      plain<Slip::kNanToZero>("group_nan_to_zero"),
      plain<Slip::kFmax>("group_fmax"),
      plain<Slip::kFirstRow>("group_first_row"),
      packed<Slip::kNone>("packed"),
      packed<Slip::kPast8192>("packed_past_8192"),
      packed<Slip::kRow64>("packed_row_64"),
      packed<Slip::kLastLeftOut>("packed_last_left_out"),
      packed<Slip::kRest512>("packed_rest_512"),
      packed<Slip::kWords8>("packed_words_8"),
      packed<Slip::kLastWord>("packed_last_word"),
      packed<Slip::kExponentField>("packed_exponent_field"),
      packed<Slip::kRow32>("packed_row_32"),
      packed<Slip::kHalfFactor>("packed_half_factor"),
      tiled<Slip::kNone>("tiles"),
      tiled<Slip::kOverlap>("tiles_overlap"),
      tiled<Slip::kThreeBits>("tiles_three_bits"),
      transposed<Slip::kNone>("transpose"),
      transposed<Slip::kOneNan>("transpose_one_nan"),
      transposed<Slip::kPastEnd>("transpose_past_end"),
  };
}

}  // namespace assay_strangers
