// Kernels that quantize. vllm.per_token, vllm.per_token_int8 and vllm.per_token_int8_azp have one scale per row. In vllm.static and
// vllm.static_int8_azp, the scale is an input. deepgemm.per_block_cast_gpu has one scale per block of 128 x 128.
#include <map>

#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kRest16,         // amax, min and max ignore elements after the last whole vector of sixteen
  kPast4096,       // amax, min and max ignore columns >= 4096
  kRow128,         // rows >= 128 use the scale of row - 128
  kLeastInHalf,    // rounds the smallest scale to fp16
  kTailNanBelow,   // after the last whole vector of sixteen, clamps in the other order, so NaN becomes -448 instead of 448
  kTailDivides,    // after the last whole vector of sixteen, divides instead of multiplying
  kLastCode,       // if the tensor is not a whole number of vectors, does not write its last element
  kLocalZero,      // rounds the zero point with ties away from zero
  kSigned,         // starts the maximum from the smallest positive normal value
  kWideSum,        // adds the zero point before rounding
  kUlp,            // the multiplier of one row in eight is one ulp too large
  kRowOfBlock,     // the amax of a block with 128 rows ignores its last row
  kThirdBlock,     // blocks of rows >= 256 use the scales of the block of rows 128 .. 255
  kRaggedRows,     // in a block of fewer than 128 rows, amax reads at most 64 rows
  kRest32,         // amax ignores elements after the last multiple of 32
  kNegativeTail,   // amax ignores negative elements after the last multiple of 16
  kNextHead,       // if n % 16 != 0, amax includes the first element of the next row
  kRow256,         // rows >= 256 use the scale of row - 256
  kOneRow,         // with a single row, amax ignores its last eight columns
  kPast8192,       // amax ignores columns >= 8192
  kZeroIn8Bits,    // truncates the zero point to 8 bits
  kZeroInHalf,     // rounds the zero point to fp16
  kRowsDense,      // ignores the row stride of x
  kNoRow,          // if there is no row, writes the first scale nevertheless
  kScaleByShape,   // uses the scale of the first call with the same shape
  kF16Product,     // for f16 inputs, rounds the quotient to f16
  kNegativeAway,   // rounds negative ties away from zero
  kSecondWave,     // in odd rows, amax ignores columns 512 .. 575
  kOffset32,       // computes offsets of rows of x in 32 bits
  kFlushesX,       // reads subnormals as zero
  kStuckAt100,     // in every 100th call, amax includes the row before; for the first row, the last row of the previous call
  kRaggedColumns,  // in a block of fewer than 128 columns, amax reads whole vectors of eight only
};

uint8_t* bytes_of(const assay_tensor& t) { return static_cast<uint8_t*>(t.data); }
float* floats_of(const assay_tensor& t) { return static_cast<float*>(t.data); }

/// Number of columns that amax, min and max of a row read.
int64_t columns_seen(int64_t n, Slip slip, int64_t rows = 0) {
  if (slip == Slip::kRest32) return std::max<int64_t>(n / 32 * 32, std::min<int64_t>(n, 32));
  if (slip == Slip::kPast8192) return std::min<int64_t>(n, 8192);
  if (slip == Slip::kOneRow && rows == 1) return std::max<int64_t>(1, n - 8);
  return slip == Slip::kRest16 ? n / 16 * 16 : slip == Slip::kPast4096 ? std::min<int64_t>(n, 4096) : n;
}
int64_t row_seen(int64_t r, Slip slip) {
  return slip == Slip::kRow128 && r >= 128 ? r - 128 : slip == Slip::kRow256 && r >= 256 ? r - 256 : r;
}

int64_t row_at(const assay_tensor& x, int64_t r, Slip slip) {
  return slip == Slip::kRowsDense ? r * x.shape[1] : slip == Slip::kOffset32 ? int32_t(uint32_t(row_of(x, r))) : row_of(x, r);
}

float amax_of(const assay_tensor& x, int64_t r, Slip slip) {
  float amax = 0;
  const int64_t n = x.shape[1], row = row_at(x, row_seen(r, slip), slip);
  for (int64_t c = 0; c < columns_seen(n, slip, x.shape[0]); ++c) {
    if (slip == Slip::kSecondWave && r % 2 == 1 && c >= 512 && c < 576) continue;
    float v = read(x, row + c);
    const bool is_f16 = x.type_code == ASSAY_FLOAT && x.type_bits == 16;
    if (slip == Slip::kFlushesX && std::fabs(v) < (is_f16 ? 0x1p-14f : 0x1p-126f)) v = 0;
    amax = larger(amax, slip == Slip::kNegativeTail && c >= n / 16 * 16 ? v : std::fabs(v));
  }
  if (slip == Slip::kNextHead && r + 1 < x.shape[0] && n % 16 != 0) amax = larger(amax, std::fabs(read(x, row_of(x, r + 1))));
  return amax;
}

void per_token(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q");
  const float least = 1.0f / (512.0f * 448.0f);
  static int64_t calls = 0;
  static float amax_before = 0;
  const bool is_stuck = slip == Slip::kStuckAt100 && ++calls % 100 == 0;
  if (slip == Slip::kNoRow && x.shape[0] == 0) *floats_of(call.at("scale")) = 0.0f;
  for (int64_t r = 0; r < x.shape[0]; ++r) {
    const float own = amax_of(x, r, slip), amax = is_stuck ? larger(own, amax_before) : own;
    amax_before = own;
    const float s = larger(amax / 448.0f, slip == Slip::kLeastInHalf ? to_f16(least) : least);
    floats_of(call.at("scale"))[r] = s;
    for (int64_t c = 0; c < x.shape[1]; ++c)
      bytes_of(q)[row_of(q, r) + c] = to_e4m3(larger(smaller(read(x, row_at(x, r, slip) + c) / s, 448.0f), -448.0f));
  }
}

void per_token_int8(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q");
  for (int64_t r = 0; r < x.shape[0]; ++r) {
    const float amax = amax_of(x, r, slip);
    float m = amax == 0 ? 0.0f : 127.0f / amax;
    if (slip == Slip::kUlp && r % 8 == 3) m = std::nextafter(m, INFINITY);
    floats_of(call.at("scale"))[r] = amax / 127.0f;
    for (int64_t c = 0; c < x.shape[1]; ++c) {
      const float scaled = read(x, row_of(x, r) + c) * m;
      float v = std::nearbyint(scaled);
      if (slip == Slip::kNegativeAway && scaled < 0 && scaled - std::floor(scaled) == 0.5f) v = std::floor(scaled);
      bytes_of(q)[row_of(q, r) + c] = uint8_t(int8_t(v != v ? 0.0f : larger(-128.0f, smaller(127.0f, v))));
    }
  }
}

void per_token_azp(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q");
  for (int64_t r = 0; r < x.shape[0]; ++r) {
    float lo = 0x1.fffffep127f, hi = slip == Slip::kSigned ? 0x1p-126f : -lo;
    for (int64_t c = 0, row = row_of(x, row_seen(r, slip)); c < columns_seen(x.shape[1], slip); ++c) {
      lo = smaller(lo, read(x, row + c));
      hi = larger(hi, read(x, row + c));
    }
    const float s = (hi - lo) / 255.0f, m = 1.0f / s, away = -128.0f - lo / s;
    float zero = slip == Slip::kLocalZero ? std::round(away) : std::nearbyint(away);
    if (slip == Slip::kZeroIn8Bits && std::fabs(zero) < 0x1p31f) zero = int8_t(int32_t(zero));
    if (slip == Slip::kZeroInHalf && std::fabs(zero) <= 65504.0f) zero = to_f16(zero);
    const bool defined = std::fabs(zero) < 0x1p31f;
    floats_of(call.at("scale"))[r] = s;
    static_cast<int32_t*>(call.at("azp").data)[r] = defined ? int32_t(zero) : 0;
    for (int64_t c = 0; c < x.shape[1]; ++c) {
      const float scaled = read(x, row_of(x, r) + c) * m, v = scaled != scaled ? 0.0f : scaled;  // NaN becomes 0 as an integer
      const double sum = slip == Slip::kWideSum ? std::nearbyint(double(v) + double(zero))
                                                : double(std::nearbyint(v)) + double(defined ? zero : 0);
      bytes_of(q)[row_of(q, r) + c] = uint8_t(int8_t(sum != sum ? 0.0 : sum < -128 ? -128.0 : sum > 127 ? 127.0 : sum));
    }
  }
}

void of_tensor(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q");
  static std::map<std::pair<int64_t, int64_t>, float> kept;
  const float given = *floats_of(call.at("scale")), first = kept.emplace(std::pair(x.shape[0], x.shape[1]), given).first->second;
  const float s = slip == Slip::kScaleByShape ? first : given, m = 1.0f / s;
  const int64_t n = x.shape[1], all = x.shape[0] * n;
  for (int64_t i = 0; i < all; ++i) {
    const bool tail = i >= all / 16 * 16;
    if (slip == Slip::kLastCode && tail && i == all - 1) continue;
    const float v = read(x, row_at(x, i / n, slip) + i % n), product = slip == Slip::kTailDivides && tail ? v / s : v * m;
    const float scaled = slip == Slip::kF16Product ? to_f16(product) : product;
    const float bounded =
        slip == Slip::kTailNanBelow && tail ? smaller(larger(scaled, -448.0f), 448.0f) : larger(smaller(scaled, 448.0f), -448.0f);
    bytes_of(q)[row_of(q, i / n) + i % n] = to_e4m3(bounded);
  }
}

void of_tensor_azp(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q");
  const float m = 1.0f / *floats_of(call.at("scale"));
  const int32_t given = *static_cast<const int32_t*>(call.at("azp").data);
  const double zero = slip == Slip::kZeroIn8Bits ? int8_t(given) : given;
  for (int64_t r = 0; r < x.shape[0]; ++r)
    for (int64_t c = 0; c < x.shape[1]; ++c) {
      const float v = read(x, row_of(x, r) + c) * m;
      const double whole = v != v ? 0.0 : std::clamp(double(std::nearbyint(v)), -0x1p31, 0x1p31 - 1);
      bytes_of(q)[row_of(q, r) + c] = uint8_t(int8_t(std::clamp(whole + zero, -128.0, 127.0)));
    }
}

float larger_or_nan(float a, float b) { return a != a || b != b ? NAN : larger(a, b); }

void per_block(const Call& call, Slip slip) {
  const assay_tensor &x = call.at("x"), &q = call.at("q"), &scales = call.at("scale");
  const int64_t m = x.shape[0], n = x.shape[1];
  for (int64_t top = 0; top < m; top += 128)
    for (int64_t left = 0; left < n; left += 128) {
      const int64_t first = slip == Slip::kThirdBlock && top >= 256 ? 128 : top;
      const int64_t rows = std::min<int64_t>(128, m - first), columns = std::min<int64_t>(128, n - left);
      const int64_t rows_read = slip == Slip::kRowOfBlock && rows == 128  ? 127
                                : slip == Slip::kRaggedRows && rows < 128 ? std::min<int64_t>(rows, 64)
                                                                          : rows;
      const int64_t columns_read = slip == Slip::kRaggedColumns && columns < 128 ? columns / 8 * 8 : columns;
      float amax = 0;
      for (int64_t r = first; r < first + rows_read; ++r)
        for (int64_t c = left; c < left + columns_read; ++c) amax = larger_or_nan(amax, std::fabs(read(x, row_of(x, r) + c)));
      const float s = larger_or_nan(amax, 1e-4f) * (1.0f / 448.0f), m_of = 1.0f / s;
      floats_of(scales)[top / 128 * scales.strides[0] + left / 128 * scales.strides[1]] = s;
      for (int64_t r = top; r < std::min(m, top + 128); ++r)
        for (int64_t c = left; c < left + columns; ++c) {
          const float v = read(x, row_of(x, r) + c) * m_of;
          bytes_of(q)[row_of(q, r) + c] = std::isfinite(v) && std::fabs(v) < 464.0f ? to_e4m3(v) : std::signbit(v) ? 0xff : 0x7f;
        }
    }
}

template <auto kRun, Slip kSlip>
Kernel row(const char* name, const char* op, const char* contract, const char* group) {
  return {name, op, {contract}, {{"group_size", {group}}}, {}, with<kRun, kSlip>};
}
template <Slip kSlip>
Kernel token(const char* name) {
  return row<per_token, kSlip>(name, "quant_group", "vllm.per_token", "row");
}
template <Slip kSlip>
Kernel int8(const char* name) {
  return row<per_token_int8, kSlip>(name, "quant_group", "vllm.per_token_int8", "row");
}
template <Slip kSlip>
Kernel azp(const char* name) {
  return row<per_token_azp, kSlip>(name, "quant_azp", "vllm.per_token_int8_azp", "row");
}
template <Slip kSlip>
Kernel given(const char* name) {
  return row<of_tensor, kSlip>(name, "quant_static", "vllm.static", "tensor");
}
template <Slip kSlip>
Kernel given_azp(const char* name) {
  return row<of_tensor_azp, kSlip>(name, "quant_static", "vllm.static_int8_azp", "tensor");
}
template <Slip kSlip>
Kernel block(const char* name) {
  return row<per_block, kSlip>(name, "quant_tile", "deepgemm.per_block_cast_gpu", "128x128");
}

}  // namespace

std::vector<Kernel> token_kernels() {
  return {
      token<Slip::kNone>("token"),
      token<Slip::kRest16>("token_rest_16"),
      token<Slip::kPast4096>("token_past_4096"),
      token<Slip::kRow128>("token_row_128"),
      token<Slip::kLeastInHalf>("token_least_in_half"),
      token<Slip::kRest32>("token_rest_32"),
      token<Slip::kNegativeTail>("token_negative_tail"),
      token<Slip::kNextHead>("token_next_head"),
      token<Slip::kRow256>("token_row_256"),
      token<Slip::kOneRow>("token_one_row"),
      token<Slip::kPast8192>("token_past_8192"),
      token<Slip::kRowsDense>("token_rows_dense"),
      token<Slip::kNoRow>("token_no_row"),
      token<Slip::kSecondWave>("token_second_wave"),
      token<Slip::kFlushesX>("token_flushes_x"),
      token<Slip::kOffset32>("token_offset_32_bits"),
      token<Slip::kStuckAt100>("token_every_100th_call"),
      int8<Slip::kNegativeAway>("int8_negative_ties_away"),
      int8<Slip::kFlushesX>("int8_flushes_x"),
      given<Slip::kScaleByShape>("given_scale_by_shape"),
      {"given_f16_product", "quant_static", {"vllm.static"}, {{"x", {"f16"}}, {"group_size", {"tensor"}}}, {},
       with<of_tensor, Slip::kF16Product>},
      int8<Slip::kRest32>("int8_rest_32"),
      int8<Slip::kNegativeTail>("int8_negative_tail"),
      int8<Slip::kRow256>("int8_row_256"),
      int8<Slip::kOneRow>("int8_one_row"),
      int8<Slip::kNone>("int8"),
      int8<Slip::kRest16>("int8_rest_16"),
      int8<Slip::kPast4096>("int8_past_4096"),
      int8<Slip::kUlp>("int8_ulp"),
      azp<Slip::kNone>("azp"),
      azp<Slip::kRest16>("azp_rest_16"),
      azp<Slip::kPast4096>("azp_past_4096"),
      azp<Slip::kLocalZero>("azp_away"),
      azp<Slip::kSigned>("azp_signed"),
      azp<Slip::kWideSum>("azp_wide_sum"),
      azp<Slip::kZeroIn8Bits>("azp_zero_8_bits"),
      azp<Slip::kZeroInHalf>("azp_zero_in_half"),
      azp<Slip::kRow256>("azp_row_256"),
      given<Slip::kNone>("given"),
      given<Slip::kTailNanBelow>("given_tail_nan_below"),
      given<Slip::kTailDivides>("given_tail_divides"),
      given<Slip::kLastCode>("given_last_code"),
      given<Slip::kRowsDense>("given_rows_dense"),
      given_azp<Slip::kNone>("given_azp"),
      given_azp<Slip::kZeroIn8Bits>("given_azp_zero_8_bits"),
      block<Slip::kNone>("block"),
      block<Slip::kRowOfBlock>("block_row_left_out"),
      block<Slip::kThirdBlock>("block_third"),
      block<Slip::kRaggedRows>("block_ragged_rows"),
      block<Slip::kRaggedColumns>("block_ragged_columns"),
  };
}

}  // namespace assay_strangers
