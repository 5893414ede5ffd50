// Predicts the whole result of an 8-bit GEMM D = A * B^T on the device: a fast, independent check of every element. It shares no
// code with the tensor core models under test (kernels/units) or with the reference, which checks a sample of its predictions.
//
// Method: the accumulator and kTake products form one aligned sum. E is their largest exponent. Each term is truncated to a
// multiple of 2^(E - fraction_bits), and the multiples are added exactly. Adding |term| to 2^(E + 23 - fraction_bits), rounded
// toward zero, leaves the multiple in the low 23 bits of the float. These words are summed as integers modulo 2^23, which drops
// exponents. A negative term's word is inverted (-x = ~x + 1); popcounts of the sign words give the missing +1. Each product
// costs one multiplication, one exclusive or, one addition, and half a maximum of exponents.
#pragma once

#include <vector>

#include "kernels/ops/call.h"
#include "kernels/simt/simt.h"

// Arithmetic that is one instruction on NVIDIA GPUs:
//   fma_toward_zero(a, b, c): a * b + c with one rounding, toward zero
//   max_of_pair_sums(a, b, m): the larger of a + b and m, in each half of the words, as signed 16-bit integers
//   bit_count(word): number of one bits
//   WATCH_DENSE_KERNEL(threads, blocks): declares a kernel so that `blocks` of its blocks fit on a multiprocessor
//   WATCH_UNROLL_4: unrolls a loop four times
#if defined(__CUDACC__)

#define WATCH_DENSE_KERNEL(threads, blocks) __global__ __launch_bounds__(threads, blocks)
#define WATCH_UNROLL_4 _Pragma("unroll 4")

namespace assay_kernels {

SIMT_DEVICE float fma_toward_zero(float a, float b, float c) { return ::__fmaf_rz(a, b, c); }
SIMT_DEVICE uint32_t max_of_pair_sums(uint32_t a, uint32_t b, uint32_t m) { return ::__viaddmax_s16x2(a, b, m); }
SIMT_DEVICE int bit_count(uint32_t word) { return ::__popc(word); }

}  // namespace assay_kernels

#else  // portable versions

#define WATCH_DENSE_KERNEL(threads, blocks) SIMT_KERNEL
#define WATCH_UNROLL_4

namespace assay_kernels {

/// a * b + c with one rounding, toward zero. Valid for finite operands and normal results.
SIMT_DEVICE float fma_toward_zero(float a, float b, float c) {
  const double product = double(a) * b;  // exact, because it has 48 bits
  const double sum = product + c, back = sum - product, lost = (product - (sum - back)) + (double(c) - back);
  float near = float(sum);
  const bool beyond = (double(near) > 0 ? double(near) > sum : double(near) < sum) ||
                      (double(near) == sum && lost != 0 && (lost < 0) == (near > 0));
  return beyond ? simt::from_bits(simt::bits(near) - 1) : near;
}

/// The larger of a + b and m, in each half of the words, as signed 16-bit integers.
SIMT_DEVICE uint32_t max_of_pair_sums(uint32_t a, uint32_t b, uint32_t m) {
  const int low = int16_t(a & 0xffffu) + int16_t(b & 0xffffu), high = int16_t(a >> 16) + int16_t(b >> 16);
  const int low_m = int16_t(m & 0xffffu), high_m = int16_t(m >> 16);
  return (uint32_t(low > low_m ? low : low_m) & 0xffffu) | uint32_t(high > high_m ? high : high_m) << 16;
}

SIMT_DEVICE int bit_count(uint32_t word) { return __builtin_popcount(word); }

}  // namespace assay_kernels

#endif

namespace assay_kernels {

/// Rows of the kernel table for the GEMM predictions.
std::vector<Kernel> product_kernels();

/// An 8-bit format with a sign bit. Magnitude codes from first_special on are NaN or Inf; -0 is a zero (unlike in fnuz formats).
struct ByteFormat {
  int mantissa_bits, bias;
  int first_special;  ///< the smallest magnitude code that is NaN or Inf

  SIMT_DEVICE int exponent(uint32_t magnitude) const {  ///< biased exponent; for zero, lower than any product's exponent
    const int stored = int(magnitude >> mantissa_bits);
    return magnitude == 0 ? kZero : stored == 0 ? 1 : stored;
  }
  SIMT_DEVICE float value(uint32_t magnitude) const {  ///< exact, including subnormals
    return simt::from_bits(magnitude << (23 - mantissa_bits)) * simt::from_bits(uint32_t(254 - bias) << 23);
  }
  static constexpr int kZero = -100;
};

struct ProductArguments {
  const uint8_t *a, *b;  ///< [m, k], [n, k]
  float* d;              ///< [m, n]
  int64_t m, n, k;       ///< k must be a multiple of 32
  ByteFormat of_a, of_b;
  int fraction_bits;  ///< fraction bits of an aligned term
  int result_bits;    ///< fraction bits that a result keeps; the rest is truncated
  int promote;        ///< after this many sums of kTake products the accumulator is added to an fp32 sum and set to 0; 0: never
};

/// Marks an element without a prediction: its row or column contains NaN or Inf.
inline constexpr uint32_t kNoPrediction = 0xffffffffu;

inline constexpr int kTile = 64;                             ///< rows and columns per thread block
inline constexpr int kOfRows = 8, kOfColumns = 4;            ///< rows and columns per thread
inline constexpr int kProductThreads = 2 * kTile;            ///< = kTile * kTile / (kOfRows * kOfColumns)
inline constexpr int kMostOfBlock = 32, kMostFraction = 14;  ///< limits that keep a sum below 2^22

/// Decoded codes of one operand: 64 rows of a tile for one block along k, laid out so that threads load four values at a time.
struct alignas(16) FactorTile {
  float value[kMostOfBlock][kTile];
  uint32_t inverted[kMostOfBlock][kTile];       ///< all ones for a negative value
  uint32_t exponents[kMostOfBlock / 2][kTile];  ///< exponents of two consecutive elements along k
  uint32_t signs[kTile];                        ///< one bit per element
};

/// Decodes kTake codes into row `row` of `to`; if !exists, stores zeros. Returns true if one of the codes is NaN or Inf.
template <int kTake>
SIMT_DEVICE bool take_apart(const uint8_t* codes, bool exists, const ByteFormat& format, int row, FactorTile& to) {
  bool special = false;
  uint32_t signs = 0;
  for (int load = 0; load < kTake / 16; ++load) {
    simt::Vector<uint8_t> bytes{};
    if (exists) bytes = simt::load16(codes + load * 16);
    SIMT_UNROLL
    for (int i = 0; i < 16; i += 2) {
      uint32_t pair = 0;
      SIMT_UNROLL
      for (int j = 0; j < 2; ++j) {
        const uint32_t code = bytes.at[i + j], magnitude = code & 0x7fu;
        const int k = load * 16 + i + j;
        special = special || int(magnitude) >= format.first_special;
        to.value[k][row] = format.value(magnitude);
        to.inverted[k][row] = 0u - (code >> 7);
        signs |= (code >> 7) << k;
        pair |= (uint32_t(format.exponent(magnitude)) & 0xffffu) << (16 * j);
      }
      to.exponents[load * 8 + i / 2][row] = pair;
    }
  }
  to.signs[row] = signs;
  return special;
}

SIMT_DEVICE int larger_half(uint32_t pair) {
  const int low = int16_t(pair & 0xffffu), high = int16_t(pair >> 16);
  return low > high ? low : high;
}

/// Writes the accumulators c to d (`first`) or adds them to d, then clears c. `d` holds the fp32 sums, because there are too few registers.
SIMT_DEVICE void add_to_d(const ProductArguments& x, int64_t row, int64_t column, bool first, float (&c)[kOfRows][kOfColumns]) {
  SIMT_UNROLL
  for (int i = 0; i < kOfRows; ++i) {
    SIMT_UNROLL
    for (int j = 0; j < kOfColumns; ++j) {
      if (row + i < x.m && column + j < x.n) {
        float* const to = x.d + (row + i) * x.n + column + j;
        *to = first ? c[i][j] : *to + c[i][j];
      }
      c[i][j] = 0;
    }
  }
}

/// Number of products in one aligned sum. It is a type, because an integer template argument of a kernel is read as its lane count.
template <int kProducts>
struct Take {
  static constexpr int kCount = kProducts;
};

template <class Taken>
WATCH_DENSE_KERNEL(kProductThreads, 4)
void watch_product(ProductArguments x, int64_t tiles_of_n) {
  constexpr int kTake = Taken::kCount;
  SIMT_SHARED(a, FactorTile);
  SIMT_SHARED(b, FactorTile);
  SIMT_SHARED(special, uint32_t[2 * kTile]);
  const int thread = simt::thread(), lane = thread % 32, of_warp = thread / 32;
  const int row = of_warp / 2 * 32 + lane / 8 * kOfRows, column = of_warp % 2 * 32 + lane % 8 * kOfColumns;
  const int64_t first_row = simt::block() / tiles_of_n * kTile, first_column = simt::block() % tiles_of_n * kTile;
  const int bias = x.of_a.bias + x.of_b.bias;
  const uint32_t kept = ~((1u << (23 - x.result_bits)) - 1u);

  // Each thread decodes one row of a or of b.
  const bool is_b = thread >= kTile;
  const int own = thread % kTile;
  const bool exists = is_b ? first_column + own < x.n : first_row + own < x.m;
  const uint8_t* codes = is_b ? x.b + (first_column + own) * x.k : x.a + (first_row + own) * x.k;

  float c[kOfRows][kOfColumns] = {};
  bool not_finite = false;
  int taken = 0;
  for (int64_t k = 0; k < x.k; k += kTake) {
    not_finite |=
        is_b ? take_apart<kTake>(codes + k, exists, x.of_b, own, b) : take_apart<kTake>(codes + k, exists, x.of_a, own, a);
    simt::barrier();

    uint32_t largest[kOfRows][kOfColumns];
    SIMT_UNROLL
    for (int i = 0; i < kOfRows; ++i) {
      SIMT_UNROLL
      for (int j = 0; j < kOfColumns; ++j) largest[i][j] = 0xff00ff00u;
    }
    WATCH_UNROLL_4
    for (int p = 0; p < kTake / 2; ++p) {
      uint32_t of_b[kOfColumns];
      SIMT_UNROLL
      for (int j = 0; j < kOfColumns; ++j) of_b[j] = b.exponents[p][column + j];
      SIMT_UNROLL
      for (int i = 0; i < kOfRows; ++i) {
        const uint32_t of_a = a.exponents[p][row + i];
        SIMT_UNROLL
        for (int j = 0; j < kOfColumns; ++j) largest[i][j] = max_of_pair_sums(of_a, of_b[j], largest[i][j]);
      }
    }

    float base[kOfRows][kOfColumns];
    uint32_t steps[kOfRows][kOfColumns];
    SIMT_UNROLL
    for (int i = 0; i < kOfRows; ++i) {
      SIMT_UNROLL
      for (int j = 0; j < kOfColumns; ++j) {
        const uint32_t addend = simt::bits(c[i][j]), negative = 0u - (addend >> 31);
        int e = larger_half(largest[i][j]) - bias;
        const int of_c = int(addend >> 23 & 0xffu) - 127;  // the exponent of c; if c is 0, lower than every product's
        e = e > of_c ? e : of_c;
        e = e > -80 ? e : -80;
        base[i][j] = simt::from_bits(uint32_t(e + 23 - x.fraction_bits + 127) << 23);
        const uint32_t cut = simt::bits(fma_toward_zero(simt::from_bits(addend & 0x7fffffffu), 1.0f, base[i][j]));
        steps[i][j] = (cut ^ negative) - negative + uint32_t(bit_count(a.signs[row + i] ^ b.signs[column + j]));
      }
    }
    WATCH_UNROLL_4
    for (int p = 0; p < kTake; ++p) {
      float of_b[kOfColumns];
      uint32_t inverted[kOfColumns];
      SIMT_UNROLL
      for (int j = 0; j < kOfColumns; ++j) of_b[j] = b.value[p][column + j], inverted[j] = b.inverted[p][column + j];
      SIMT_UNROLL
      for (int i = 0; i < kOfRows; ++i) {
        const float of_a = a.value[p][row + i];
        const uint32_t minus = a.inverted[p][row + i];
        SIMT_UNROLL
        for (int j = 0; j < kOfColumns; ++j)
          steps[i][j] += simt::bits(fma_toward_zero(of_a, of_b[j], base[i][j])) ^ minus ^ inverted[j];
      }
    }
    SIMT_UNROLL
    for (int i = 0; i < kOfRows; ++i) {
      SIMT_UNROLL
      for (int j = 0; j < kOfColumns; ++j) {
        const float whole = float(int32_t(steps[i][j] << 9) >> 9);
        const float unit = simt::from_bits(simt::bits(base[i][j]) - (23u << 23));
        c[i][j] = simt::from_bits(simt::bits(whole) & kept) * unit;
      }
    }
    if (++taken == x.promote || k + kTake == x.k) {
      add_to_d(x, first_row + row, first_column + column, k + kTake <= int64_t(taken) * kTake, c);
      taken = 0;
    }
    simt::barrier();
  }
  special[thread] = not_finite ? 1u : 0u;
  simt::barrier();
  for (int i = 0; i < kOfRows; ++i)
    for (int j = 0; j < kOfColumns; ++j) {
      if (first_row + row + i >= x.m || first_column + column + j >= x.n) continue;
      if (special[row + i] == 0 && special[kTile + column + j] == 0) continue;
      x.d[(first_row + row + i) * x.n + first_column + column + j] = simt::from_bits(kNoPrediction);
    }
}

}  // namespace assay_kernels
