// Low-precision GEMMs. assay.unknown_fp8_row.sm_90 leaves the accumulation order open: its kernel adds exactly and rounds once.
// vllm.cutlass_scaled_mm_int8.sm_90 and vllm.cutlass_scaled_mm_azp_per_token.sm_90 add integers.
#include "kernels/strangers/numbers.h"

namespace assay_strangers {
namespace {

enum class Slip {
  kNone,
  kNanIsNumber,  // reads 0x7f as 480
  kTail64,       // if k > 64, ignores elements along k after the last multiple of 128
  kFourParts,    // if k >= 1024, each of four split-K parts adds all of k, not its quarter
  kStaleTail,    // rows >= 64 ignore elements >= 256 along k
  kSecondTile,   // columns >= 128 add elements >= 256 along k twice
  kOneRow,       // with a single row, ignores the last eight elements along k
  kPairsIn16,    // sums of two products saturate at 32767
  kSumInF32,     // adds integers in fp32
  kRest32,       // ignores elements along k after the last multiple of 32
  kRow256,       // rows >= 256 use row - 256 of A
  kZeroIn8Bits,  // truncates zero points to 8 bits
  kMinusZero,    // a sum of zero is -0
  kScalesFirst,  // multiplies the two scales by each other first
  kScaleOfTail,  // columns after the last whole vector of eight use the scale of the column before
  kFusedBias,    // adds the bias by a fused multiply-add, which the contract allows
};

float scale_at(const assay_tensor& scale, int64_t at) { return static_cast<const float*>(scale.data)[scale.shape[0] == 1 ? 0 : at]; }

float e4m3(uint8_t code, Slip slip) {
  const int exponent = code >> 3 & 15, fraction = code & 7;
  if (exponent == 15 && fraction == 7 && slip != Slip::kNanIsNumber) return NAN;
  const float v = exponent == 0 ? std::ldexp(float(fraction), -9) : std::ldexp(float(8 + fraction), exponent - 10);
  return code & 0x80 ? -v : v;
}

struct Sizes {
  int64_t m, n, k;
  explicit Sizes(const Call& call) : m(call.at("a").shape[0]), n(call.at("b").shape[0]), k(call.at("a").shape[1]) {}
  int64_t row(int64_t r, Slip slip) const { return slip == Slip::kRow256 && r >= 256 ? r - 256 : r; }
  int64_t end(int64_t row, Slip slip) const {
    if (slip == Slip::kTail64 && k > 64) return k / 128 * 128;
    if (slip == Slip::kStaleTail && row >= 64) return std::min<int64_t>(k, 256);
    if (slip == Slip::kOneRow && m == 1) return std::max<int64_t>(0, k - 8);
    if (slip == Slip::kRest32) return k / 32 * 32;
    return k;
  }
};

void rows_of_codes(const Call& call, Slip slip) {
  const assay_tensor &a = call.at("a"), &b = call.at("b"), &d = call.at("d");
  const Sizes size(call);
  for (int64_t r = 0; r < size.m; ++r)
    for (int64_t c = 0; c < size.n; ++c) {
      double sum = 0;
      for (int64_t k = 0; k < size.end(r, slip); ++k) {
        const double product = double(e4m3(static_cast<const uint8_t*>(a.data)[size.row(r, slip) * size.k + k], slip)) *
                               e4m3(static_cast<const uint8_t*>(b.data)[c * size.k + k], slip);
        sum += product * (slip == Slip::kSecondTile && c >= 128 && k >= 256 ? 2 : 1);
      }
      if (slip == Slip::kFourParts && size.k >= 1024) sum *= 4;
      if (slip == Slip::kMinusZero && sum == 0) sum = -0.0;
      const float scaled = float(sum) * scale_at(call.at("scale_b"), c) * scale_at(call.at("scale_a"), r);
      store(d, row_of(d, r) + c, rounded(d, scaled));
    }
}

void rows_of_integers(const Call& call, Slip slip) {
  const assay_tensor &a = call.at("a"), &b = call.at("b"), &d = call.at("d");
  const Sizes size(call);
  const auto* const bias = call.find("bias");
  const auto* const adj = call.find("azp_adj");
  const auto zero_times_sum = [&](int64_t r, int64_t c) {
    const int32_t zero = static_cast<const int32_t*>(call.at("azp").data)[r];
    return int64_t(slip == Slip::kZeroIn8Bits ? int8_t(zero) : zero) * static_cast<const int32_t*>(adj->data)[c];
  };
  for (int64_t r = 0; r < size.m; ++r)
    for (int64_t c = 0; c < size.n; ++c) {
      int64_t sum = 0;
      float in_f32 = 0;
      const auto product = [&](int64_t k) {
        return int64_t(static_cast<const int8_t*>(a.data)[size.row(r, slip) * size.k + k]) * static_cast<const int8_t*>(b.data)[c * size.k + k];
      };
      for (int64_t k = 0; k < size.end(r, slip); ++k) {
        int64_t term = product(k);
        in_f32 += float(term);
        if (slip == Slip::kPairsIn16 && k + 1 < size.k && k % 2 == 0) term = std::min<int64_t>(32767, term + product(k + 1)), ++k;
        sum += term * (slip == Slip::kSecondTile && c >= 128 && k >= 256 ? 2 : 1);
      }
      if (adj) sum -= zero_times_sum(r, c);
      const int64_t of = slip == Slip::kScaleOfTail && c > 0 && c >= size.n / 8 * 8 ? c - 1 : c;
      const float scale_a = scale_at(call.at("scale_a"), r), scale_b = scale_at(call.at("scale_b"), of);
      const float whole = slip == Slip::kSumInF32 ? in_f32 : float(sum);
      const float scaled = slip == Slip::kScalesFirst ? whole * (scale_b * scale_a) : whole * scale_b * scale_a;
      const bool fused = slip == Slip::kFusedBias && bias;
      store(d, row_of(d, r) + c,
            rounded(d, fused  ? float(double(whole * scale_b) * scale_a + read(*bias, c))
                       : bias ? scaled + read(*bias, c)
                              : scaled));
    }
}

template <Slip kSlip>
Kernel codes(const char* name) {
  return {name, "gemm_scaled", {"assay.unknown_fp8_row.sm_90"}, {}, {}, with<rows_of_codes, kSlip>};
}
template <Slip kSlip>
Kernel integers(const char* name) {
  return {name, "gemm_scaled", {"vllm.cutlass_scaled_mm_int8.sm_90"}, {}, {}, with<rows_of_integers, kSlip>};
}
template <Slip kSlip>
Kernel zeros(const char* name) {
  return {name, "gemm_scaled", {"vllm.cutlass_scaled_mm_azp_per_token.sm_90"}, {}, {}, with<rows_of_integers, kSlip>};
}

}  // namespace

std::vector<Kernel> products_kernels() {
  return {
      codes<Slip::kNone>("codes"),
      codes<Slip::kNanIsNumber>("codes_nan_is_number"),
      codes<Slip::kTail64>("codes_tail_64"),
      codes<Slip::kFourParts>("codes_four_parts"),
      codes<Slip::kStaleTail>("codes_stale_tail"),
      codes<Slip::kSecondTile>("codes_second_tile"),
      codes<Slip::kOneRow>("codes_one_row"),
      codes<Slip::kRest32>("codes_rest_32"),
      codes<Slip::kMinusZero>("codes_minus_zero"),
      integers<Slip::kNone>("integers"),
      integers<Slip::kPairsIn16>("integers_pairs_in_16"),
      integers<Slip::kSumInF32>("integers_sum_in_f32"),
      integers<Slip::kStaleTail>("integers_stale_tail"),
      integers<Slip::kSecondTile>("integers_second_tile"),
      integers<Slip::kOneRow>("integers_one_row"),
      integers<Slip::kRest32>("integers_rest_32"),
      integers<Slip::kRow256>("integers_row_256"),
      integers<Slip::kScalesFirst>("integers_scales_first"),
      integers<Slip::kScaleOfTail>("integers_scale_of_tail"),
      integers<Slip::kFusedBias>("integers_fused_bias"),
      zeros<Slip::kNone>("zeros"),
      zeros<Slip::kZeroIn8Bits>("zeros_8_bits"),
  };
}

}  // namespace assay_strangers
