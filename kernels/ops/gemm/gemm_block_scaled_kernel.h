// gemm_block_scaled: block scales along k, which multiply the sum of each block of k or are applied by the instruction itself.
#pragma once

#include "kernels/ops/gemm/gemm_block_scaled_rules.h"
#include "kernels/ops/gemm/gemm_common.h"
#include "kernels/ops/kernel_common.h"

namespace assay_kernels {

// Stores one element of d, and adds the results of split-K parts (parts of k that are summed separately).

template <class Rules, class Y>
SIMT_DEVICE void store_block(const BlockGemmArguments& x, int64_t row, int64_t column, float acc) {
  const float c = x.c ? simt::to_float(static_cast<const Y*>(x.c)[row * x.n + column]) : 0.0f;
  static_cast<Y*>(x.d)[Rules::place_of_d(row, column, x.pitch_d)] =
      Rules::template stored<Y>(Rules::template finished<Y>(x, column, Rules::result(acc, c)));
}

/// `before` + the scaled and rounded result of a split-K part. The sum is rounded to Y, the type of d.
template <class Rules, class Y>
SIMT_DEVICE float added_block_result(float before, float acc) {
  return simt::to_float(simt::from_float<Y>(before + simt::to_float(Rules::template stored<Y>(Rules::result(acc, 0.0f)))));
}

template <class Rules>
SIMT_DEVICE float added_block_result_as(ResultType y, float before, float acc) {
  return y == ResultType::kBf16 ? added_block_result<Rules, simt::Bf16>(before, acc) : added_block_result<Rules, simt::F16>(before, acc);
}

template <class Rules>
SIMT_DEVICE void store_as(const BlockGemmArguments& x, int64_t row, int64_t column, float acc) {
  if (x.y == ResultType::kF32) store_block<Rules, float>(x, row, column, acc);
  if (x.y == ResultType::kBf16) store_block<Rules, simt::Bf16>(x, row, column, acc);
  if (x.y == ResultType::kF16) store_block<Rules, simt::F16>(x, row, column, acc);
}

// A GEMM whose instruction applies the scales, with one accumulator for all of k. A thread block computes a tile of d.

/// Scale bytes of one instruction's operands. Beyond m, n and k they are 0, the smallest scale of each format. Another scale
/// could change sums even where codes are zeros, because some instructions align terms to the largest exponent of the scales.
template <class U>
struct StagedScales {
  static constexpr int kEach = units::Bytes<U>::kScales;  ///< scales per row
  alignas(16) uint8_t a[U::kM * kEach];
  alignas(16) uint8_t b[U::kN * kEach];
};

/// Loads the scales of `rows` rows from `row` on, for the instruction whose operands begin at element k.
template <class Rules, class U, int kThreads>
SIMT_DEVICE void stage_scales(uint8_t* to, const BlockScales& scales, int64_t row, int rows, int64_t all_rows, int64_t k, int64_t all_k) {
  constexpr int kEach = StagedScales<U>::kEach;
  const int64_t blocks = (all_k + Rules::kProducts - 1) / Rules::kProducts;
  for (int i = simt::thread(); i < rows * kEach; i += kThreads) {
    const int64_t r = row + i / kEach, at = k + i % kEach * U::kScaleBlock;
    to[i] = r < all_rows && at < all_k ? Rules::scale_byte(scales, r, at / Rules::kProducts, blocks) : uint8_t{0};
  }
}

/// Sets every element of a tile to zero.
template <class Tile>
SIMT_DEVICE void clear(Tile& tile) {
  SIMT_UNROLL
  for (int i = 0; i < tile.kElements; ++i) tile.at[i] = 0;
}

/// Stores number(i) to d for each element i of the tile at (row, column) that lies within d.
template <class Rules, class Tile, class Number>
SIMT_DEVICE void store_tile(const typename Rules::Arguments& x, int64_t row, int64_t column, const Tile& tile, Number number) {
  SIMT_UNROLL
  for (int i = 0; i < tile.kElements; ++i) {
    const int64_t r = row + tile.row(i), c = column + tile.column(i);
    if (r < x.m && c < x.n) store_as<Rules>(x, r, c, number(i));
  }
}

template <class U, class Rules, int kWarp>
SIMT_KERNEL void unit_scaled_product(typename Rules::Arguments x) {
  constexpr int kThreads = units::kThreads<U, kWarp>;
  SIMT_SHARED(step, StagedStep<U>);
  SIMT_SHARED(scales, StagedScales<U>);
  const int64_t across = (x.n + U::kN - 1) / U::kN;
  int64_t row = simt::block() / across * U::kM;
  const int64_t column = simt::block() % across * U::kN;
  if (!Rules::template enter<Rules>(x, row)) return;
  units::Operands factors{step.a, step.b, step.kPitchA, step.kPitchB, scales.a, scales.b, scales.kEach, scales.kEach};
  units::Tile<U, kWarp> chain;
  clear(chain);
  for (int64_t at = 0; at < x.k; at += U::kK) {
    stage<Rules, kThreads>(step, x, row, column, 0, at, x.k);
    stage_scales<Rules, U, kThreads>(scales.a, x.scale_a, row, U::kM, x.m, at, x.k);
    stage_scales<Rules, U, kThreads>(scales.b, x.scale_b, column, U::kN, x.n, at, x.k);
    simt::barrier();
    units::mma<U, kWarp>(chain, factors);
    simt::barrier();
  }
  store_tile<Rules>(x, row, column, chain, [&](int i) { return number_of_sum<U>(chain.at[i]); });
}

// A GEMM whose operands are decoded to bf16 or fp16 before the instruction, with one accumulator for all of k.

/// The decoded operands of one instruction, with zeros beyond m, n and k.
template <class U>
struct DecodedStep {
  static constexpr int kPitch = 2 * U::kK;  ///< bytes of a row
  alignas(16) uint16_t a[U::kM * U::kK];
  alignas(16) uint16_t b[U::kN * U::kK];
};

template <class Format>
SIMT_DEVICE uint16_t half_bits(float v) {
  if constexpr (std::is_same_v<Format, units::Bf16>)
    return simt::from_float<simt::Bf16>(v).bits;
  else
    return simt::from_float<simt::F16>(v).bits;
}

/// Stages U's operand for rows from `row` and elements from `at` on. operand(r, k) returns the value before it is rounded to Format.
template <class U, class Format, int kThreads, int kElements, class Operand>
SIMT_DEVICE void stage_decoded(uint16_t (&to)[kElements], int64_t row, int64_t rows, int64_t at, int64_t all_k, Operand operand) {
  for (int i = simt::thread(); i < kElements; i += kThreads) {
    const int64_t r = row + i / U::kK, k = at + i % U::kK;
    to[i] = r < rows && k < all_k ? half_bits<Format>(operand(r, k)) : uint16_t{0};
  }
}

template <class U, class Rules, int kWarp>
SIMT_KERNEL void decoded_scaled_product(typename Rules::Arguments x) {
  constexpr int kThreads = units::kThreads<U, kWarp>;
  SIMT_SHARED(step, DecodedStep<U>);
  const int64_t across = (x.n + U::kN - 1) / U::kN;
  const int64_t row = simt::block() / across * U::kM, column = simt::block() % across * U::kN;
  const float ga = Rules::kOuterOfA ? x.global_a[0] : 1.0f, gb = Rules::kOuterOfB ? x.global_b[0] : 1.0f;
  units::Operands factors{reinterpret_cast<const uint8_t*>(step.a), reinterpret_cast<const uint8_t*>(step.b), step.kPitch, step.kPitch};
  units::Tile<U, kWarp> chain;
  clear(chain);
  for (int64_t at = 0; at < x.k; at += U::kK) {
    stage_decoded<U, typename U::A, kThreads>(step.a, row, x.m, at, x.k, [&](int64_t r, int64_t k) {
      return Rules::operand_of_a(e2m1_value(Rules::code_of_a(x, r, k)), Rules::scale_of_block(x.scale_a, r, k / Rules::kProducts), ga);
    });
    stage_decoded<U, typename U::B, kThreads>(step.b, column, x.n, at, x.k, [&](int64_t c, int64_t k) {
      return Rules::operand_of_b(e2m1_value(Rules::code_of_b(x, c, k)), Rules::scale_of_block(x.scale_b, c, k / Rules::kProducts), gb);
    });
    simt::barrier();
    units::mma<U, kWarp>(chain, factors);
    simt::barrier();
  }
  store_tile<Rules>(x, row, column, chain, [&](int i) { return number_of_sum<U>(chain.at[i]); });
}

// A GEMM whose instruction applies no scales: block scales multiply the fp32 sum of each block of k. A thread block computes
// one tile of d, of the instruction's size, with one instruction after the other along k.

template <class U, class Rules, int kWarp>
SIMT_KERNEL void block_scaled_product(typename Rules::Arguments x) {
  constexpr int kThreads = units::kThreads<U, kWarp>;
  SIMT_SHARED(step, StagedStep<U>);
  const int64_t across = (x.n + U::kN - 1) / U::kN;
  int64_t row = simt::block() / across * U::kM;
  const int64_t column = simt::block() % across * U::kN;
  if (!Rules::template enter<Rules>(x, row)) return;
  units::Operands factors{step.a, step.b, U::kK, U::kK};
  units::Tile<U, kWarp> chain;
  float acc[chain.kElements], sum[chain.kElements];
  const int64_t k = Rules::products(x.k);
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) sum[i] = 0.0f;
  for (int64_t part = 0; part < k; part += x.part) {
    const int64_t end = part + x.part < k ? part + x.part : k;
    SIMT_UNROLL
    for (int i = 0; i < chain.kElements; ++i) chain.at[i] = 0, acc[i] = 0.0f;
    const int64_t last = end_of_periods<Rules>(part, end);
    for (int64_t at = part; at < last; at += U::kK) {
      stage<Rules, kThreads>(step, x, row, column, part, at, end);
      simt::barrier();
      units::mma<U, kWarp>(chain, factors);
      simt::barrier();
      const bool promotes = (at + U::kK - part) % Rules::kPromote == 0 || at + U::kK >= last;
      const int64_t first = part + (at - part) / Rules::kPromote * Rules::kPromote;  // first element along k of the promoted run
      SIMT_UNROLL
      for (int i = 0; i < chain.kElements && promotes; ++i) {
        const int64_t r = row + chain.row(i), c = column + chain.column(i);
        if (r >= x.m || c >= x.n) continue;
        const float sa = Rules::scale_of_row(x, r, first), sb = Rules::scale_of_column(x, c, first);
        const bool alone = Rules::kScalesOneBlock && x.k <= Rules::kProducts;
        acc[i] = alone ? Rules::one_block(number_of_sum<U>(chain.at[i]), sa, sb)
                       : Rules::join(number_of_sum<U>(chain.at[i]), sa, sb, acc[i]);
        chain.at[i] = 0;
      }
    }
    if (!Rules::keeps_part(part, end, k)) continue;
    SIMT_UNROLL
    for (int i = 0; i < chain.kElements; ++i)
      sum[i] = Rules::kAddsResults ? added_block_result_as<Rules>(x.y, sum[i], acc[i]) : part == 0 ? acc[i] : sum[i] + acc[i];
  }
  store_tile<Rules>(x, row, column, chain, [&](int i) { return sum[i]; });
}

/// Launches one thread block per tile. Scales are applied to the operands (kDecodes), by the instruction (kInUnit), or to the sums.
template <class Rules, class Arguments>
void launch_scaled(const Call& call, int64_t tiles, const Arguments& x) {
  using U = typename Rules::Unit;
  if (tiles == 0) return;
  with_warp(call, [&](auto warp) {
    const simt::Launch grid = call.grid(tiles, units::kThreads<U, warp.value>);
    if constexpr (Rules::kDecodes)
      simt::launch(decoded_scaled_product<U, Rules, warp.value>, grid, x);
    else if constexpr (Rules::kInUnit)
      simt::launch(unit_scaled_product<U, Rules, warp.value>, grid, x);
    else
      simt::launch(block_scaled_product<U, Rules, warp.value>, grid, x);
  });
}

template <class Rules, int kParts>
void run_block_gemm(const Call& call) {
  using U = typename Rules::Unit;
  BlockGemmArguments x = block_gemm_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>,
                                              Rules::kRowsOfScaleB, Rules::kAddsC, Rules::kLevel, Rules::kProducts);
  expect_weight<Rules>(x);
  if (Rules::kOuterOfA) x.global_a = outer_scales(call, "global_scale_a", 1);
  if (Rules::kOuterOfB) x.global_b = outer_scales(call, "global_scale_b", 1);
  if (const assay_tensor* bias = call.find("bias")) x.bias = block_gemm_bias(call, *bias, x.n, Rules::kTakesBias);
  if (Rules::kAddsResults && x.y == ResultType::kF32) unsupported("d must be bf16 or f16: split-K results are added in 16 bits");
  if (kParts > 1) x.part = part_of(x.k, kParts, Rules::kPartOf);
  const int64_t tiles = (x.m + U::kM - 1) / U::kM * ((x.n + U::kN - 1) / U::kN);
  launch_scaled<Rules>(call, tiles, x);
}

// Rows of the kernel table for the rules whose instruction this build has.

template <class Rules, int kParts>
void run_block_gemm_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_block_gemm<R, kParts>(call);
  });
}

/// kParts > 1: with split-K, for contracts in which the library chooses the number of parts.
template <class Rules, int kParts = 1>
std::vector<Kernel> block_gemm_rows(const std::string& name) {
  const std::vector<std::string> contracts = gemm_contracts<Rules>();
  if (contracts.empty()) return {};
  return {{name, "gemm_block_scaled", contracts, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_block_gemm_by_contract<Rules, kParts>}};
}

}  // namespace assay_kernels
