// Tensor cores gone wrong: each an emulation with one step as somebody took it to be, or as another chip has it.
#include "kernels/ops/mma/mma.h"

namespace assay_kernels {
namespace {

using namespace units;

/// A bit less of each term is kept.
struct MmaFractionLess : Sm90WgmmaE4m3F32 {
  static constexpr int kFraction = 12;
};

struct MmaFractionMore : Sm90WgmmaE4m3F32 {
  static constexpr int kFraction = 14;
};

/// The result is rounded as an addition of IEEE 754.
struct MmaNearestForTruncation : Sm90WgmmaBf16F32 {
  static constexpr Rounding kRounding = Rounding::kNearest;
};

/// The accumulator of fp8 is taken for a whole f32.
struct MmaResultNotCut : Sm90WgmmaE4m3F32 {
  static constexpr int kResult = 23;
};

/// c goes into the first of the two sums, where it is added behind both.
struct MmaCFirst : Sm90MmaE4m3F32 {
  static constexpr bool kAddsCLast = false;
};

/// The halves of k as they lie in memory.
struct MmaHalvesNotInterleaved : Sm90MmaE4m3F32 {
  static constexpr int kPeriod = 0;
};

/// Subnormal factors, c and results are zero, as on CDNA2.
struct MmaFlushesSubnormals : Sm90MmaF16F32 {
  template <class F>
  static Number factor(Number read, int) {
    return Tree::normal(read, F::kMantissa);
  }
  template <class F>
  static uint32_t addend(uint32_t c) {
    return (Tree::flushed<F>(c) & (F::kSign - 1)) == 0 ? 0u : c;
  }
  template <class F>
  static uint32_t result(uint32_t d) {
    return addend<F>(d);
  }
};

/// A zero has an exponent, too.
struct MmaZerosCount : Sm90MmaBf16F32 {
  static bool counts(int64_t) { return true; }
};

/// A loop over k that ends one early.
struct MmaProductDropped : Sm90WgmmaF16F32 {
  template <class F>
  static Number factor(Number read, int k) {
    return k == kK - 1 ? number_of<F>(0) : read;
  }
};

/// A sum of zeros as additions of IEEE 754 give it.
struct MmaNegativeZero : Sm90MmaF16F32 {
  template <class F>
  static uint32_t zero(bool all_negative) {
    return all_negative ? F::kSign : 0u;
  }
};

/// The quiet NaN of everything else.
struct MmaNanPayload : Sm90WgmmaBf16F32 {
  static constexpr uint32_t kNan = 0x7fc00000u;
};

/// Accumulators are kept in half the registers.
struct MmaAccumulatorF16 : Sm90WgmmaF16F32 {
  template <class>
  static uint32_t addend(uint32_t c) {
    const Number wide = number_of<F32>(c);
    if (wide.kind != Number::kFinite) return c;
    const auto magnitude = uint64_t(wide.negative ? -wide.significand : wide.significand);
    const Number half = number_of<F16>(rounded<F16>(false, magnitude, wide.exponent - F32::kMantissa, units::Rounding::kNearest));
    if (half.kind != Number::kFinite) return infinity<F32>(wide.negative);
    return rounded<F32>(wide.negative, uint64_t(half.significand), half.exponent - F16::kMantissa, units::Rounding::kNearest);
  }
};

/// Products are normalized before they are aligned; those of subnormal factors then move up.
struct MmaExponentRenormalized : Sm90MmaF16F32 {
  static int exponent(const Number& a, const Number& b) {
    const int64_t product = int64_t{a.significand} * b.significand;
    const int top = product == 0 ? 2 * F16::kMantissa : 63 - __builtin_clzll(uint64_t(product < 0 ? -product : product));
    return top - 2 * F16::kMantissa + a.exponent + b.exponent;
  }
  static int64_t cut(int64_t term, int below) {
    return below < 0 ? term * (int64_t{1} << -below) : Sm90MmaF16F32::cut(term, below);
  }
};

/// A factor is taken for a number of e4m3, whose subnormal ones have one exponent, where the instructions read f16.
struct MmaSubnormalsNotUnpacked : Sm90MmaE4m3UnpackedF32 {
  template <class F>
  static Number factor(Number read, int) {
    return read;
  }
};

/// Bits are cut off downward, as CDNA3 does it where it adds c.
struct MmaFloorForTruncation : Sm90MmaF16F32 {
  static int64_t cut(int64_t term, int below) { return Joined::floored(term, below); }
};

/// Blocks of eight, as on Ampere.
struct MmaHalfBlock : Sm90MmaBf16F32 {
  static constexpr int kTake = 8;
};

/// The least exponent of Ampere.
struct MmaLeastExponent : Sm90MmaBf16F32 {
  static constexpr int kLeast = -132;
};

template <class U>
Kernel of_unit(const char* name, const char* cites) {
  return {name, "mma", {U::kContract}, {{"m", {U::kM}}, {"n", {U::kN}}, {"warp", simt::kWarpSizes}}, {}, run_mma<U>,
          name, cites, "mma"};
}

}  // namespace

std::vector<Kernel> mma_faults() {
  return {
      of_unit<MmaFractionLess>("mma_fraction_less", "Khattak, Mikaitis (arXiv 2512.07004): units differ by single extra bits"),
      of_unit<MmaFractionMore>("mma_fraction_more", "DeepSeek-V3 (arXiv 2412.19437): about 14 bits"),
      of_unit<MmaNearestForTruncation>("mma_nearest_for_truncation",
                                       "Valpey, Li, Pai, Gopalakrishnan 2025 (arXiv 2502.15999) correct a like assumption"),
      of_unit<MmaResultNotCut>("mma_result_not_cut", "DeepSeek-V3 (arXiv 2412.19437): f32 in name, about 14 bits in fact"),
      of_unit<MmaCFirst>("mma_c_first", "no regression known; the instruction as the PTX ISA writes it"),
      of_unit<MmaHalvesNotInterleaved>("mma_halves_not_interleaved",
                                       "no regression known; CUDA 13.0 ptxas unpacks halves of words and not of k"),
      of_unit<MmaFlushesSubnormals>("mma_flushes_subnormals", "MATLAB-tensor-core d12a5b3~1, its unit of MI250X"),
      of_unit<MmaZerosCount>("mma_zeros_count", "MMA-Sim c785138: zero operands have exponent -126"),
      of_unit<MmaProductDropped>("mma_product_dropped", "no regression known; the coarsest mistake of a sum"),
      of_unit<MmaNegativeZero>("mma_negative_zero", "IEEE 754-2019, 6.3: what a chain of fma returns"),
      of_unit<MmaNanPayload>("mma_nan_payload", "IEEE 754-2019, 6.2: a quiet NaN without a payload"),
      of_unit<MmaAccumulatorF16>("mma_accumulator_f16", "no regression known; f16 accumulation under the name of f32"),
      of_unit<MmaExponentRenormalized>("mma_exponent_renormalized",
                                       "no regression known; measured on an H200: 96 * 192 is aligned by 13 and not by 14"),
      of_unit<MmaSubnormalsNotUnpacked>("mma_subnormals_not_unpacked",
                                        "no regression known; units.csv itself until a probe of an H200 on 2026-11-23"),
      of_unit<MmaFloorForTruncation>("mma_floor_for_truncation", "MMA-Sim c785138, its units of CDNA3, which floor"),
      of_unit<MmaHalfBlock>("mma_half_block", "MMA-Sim c785138: blocks of Ampere and of Hopper"),
      of_unit<MmaLeastExponent>("mma_least_exponent", "MATLAB-tensor-core b12b5a7: -132 on A100 and -133 on H100"),
  };
}

}  // namespace assay_kernels
