// gemm_grouped: how a tile of rows finds its expert. The loop over k is that of gemm_block_scaled or gemm_scaled.
#pragma once

#include "kernels/ops/gemm/gemm_block_scaled_kernel.h"
#include "kernels/ops/gemm/gemm_scaled_kernel.h"

namespace assay_kernels {

/// b is [experts, n, k] and dense, scale_b [experts, n / 128, k / 128].
struct GroupedGemmArguments : BlockGemmArguments {
  const int32_t* groups;  ///< by index: the expert of each row, -1: none; masked: the rows in use of each expert
  int64_t experts;
  int64_t room;                                    ///< masked: rows of a and d that each expert has, whole tiles; by index: 0
  int64_t scales_of_expert_a, scales_of_expert_b;  ///< distance between the scales of two experts; by index, a is one matrix
};

/// Rejects invalid calls. `masked`: the tensor `tokens` states the rows in use, otherwise `expert_of_row` the expert of each row.
/// `rows_of_b`: rows of b that share a scale. `tile_rows`: an expert begins at a multiple.
GroupedGemmArguments grouped_gemm_arguments(const Call& call, int a_type, int b_type, bool masked, int64_t rows_of_b,
                                            int64_t tile_rows);

/// Rules of a GEMM whose rows belong to experts. All rows of a tile have one expert.
template <class Base>
struct OfExperts : Base {
  using Arguments = GroupedGemmArguments;
  static constexpr int64_t kTileRows = 128;

  /// Moves b and the scales to the expert of the tile. A tile of no expert is left alone.
  template <class Rules>
  SIMT_DEVICE static bool enter(GroupedGemmArguments& x, int64_t row) {
    const int64_t expert = Rules::expert_of(x, row);
    if (expert < 0) return false;
    x.b += Rules::expert_of_weights(x, expert) * x.n * x.pitch_b;
    x.scale_b.data += Rules::expert_of_scales(x, expert) * x.scales_of_expert_b;
    if (x.room > 0) x.scale_a.data += row / x.room * (Rules::scales_of_expert_a(x) - x.room * x.scale_a.row_stride);
    return true;
  }
  SIMT_DEVICE static int64_t expert_of_weights(const GroupedGemmArguments& /*x*/, int64_t expert) { return expert; }
  SIMT_DEVICE static int64_t expert_of_scales(const GroupedGemmArguments& /*x*/, int64_t expert) { return expert; }
  SIMT_DEVICE static int64_t scales_of_expert_a(const GroupedGemmArguments& x) { return x.scales_of_expert_a; }
};

// Source: DeepGEMM 54e22612, sm90_fp8_gemm_1d2d.cuh and scheduler/gemm.cuh, GemmType::MGroupedContiguous and MGroupedMasked.
struct DeepGemmContiguous : OfExperts<DeepGemm1d2d> {
  static constexpr const char* kContract = "deepgemm.m_grouped_fp8_gemm_contiguous.sm_90";
  static constexpr bool kMasked = false;
  SIMT_DEVICE static int64_t expert_of(const GroupedGemmArguments& x, int64_t row) { return x.groups[row]; }
};
struct DeepGemmMasked : OfExperts<DeepGemm1d2d> {
  static constexpr const char* kContract = "deepgemm.m_grouped_fp8_gemm_masked.sm_90";
  static constexpr bool kMasked = true;
  SIMT_DEVICE static int64_t expert_of(const GroupedGemmArguments& x, int64_t row) {
    const int64_t expert = row / x.room;
    return row % x.room < x.groups[expert] ? expert : -1;
  }
};

// Experts at offsets: the rows of an expert begin anywhere, and one scale covers a row of a and a row, or all rows, of its weights.

struct ExpertRows {
  const int32_t* offsets;  ///< the first row of each expert; nullptr: each begins where the one before ends
  const int32_t* sizes;    ///< [experts, 3]: rows, n and k of each expert; without offsets [experts]: where its rows end
  int64_t experts;
  int64_t tiles;               ///< of an expert that has all rows
  int64_t scales_of_expert_b;  ///< distance between the scales of two experts
};

/// a and d are [m, ..], b is [experts, n, k] and dense. m and the pointers are moved to one expert by enter().
struct OffsetGemmArguments : GemmArguments, ExpertRows {};

/// The same with scales in tiles of 128 rows.
struct OffsetMxArguments : BlockGemmArguments, ExpertRows {
  const int32_t* tile_rows;  ///< the row of whole tiles where the scales of each expert begin
};

/// Rejects invalid calls. `ends`: the tensor `expert_ends` states the rows, otherwise `expert_offsets` and `problem_sizes`.
OffsetGemmArguments offset_gemm_arguments(const Call& call, int a_type, int b_type, bool ends, int64_t tile);

/// The same with the tensor `blockscale_offsets`.
OffsetMxArguments offset_mx_arguments(const Call& call, int a_type, int b_type, int64_t tile, const ScaleLevel& level, int64_t products);

template <class Base, class GemmArguments>
struct ExpertsAtOffsets : Base {
  using Arguments = GemmArguments;
  static constexpr bool kEnds = false;  ///< each expert begins where the one before ends

  SIMT_DEVICE static int64_t first_row(const ExpertRows& x, int64_t expert) {
    if (x.offsets) return x.offsets[expert];
    return expert > 0 ? x.sizes[expert - 1] : 0;
  }
  template <class Rules>
  SIMT_DEVICE static int64_t rows(const Arguments& x, int64_t expert) {
    return x.offsets ? x.sizes[3 * expert] : x.sizes[expert] - Rules::first_row(x, expert);
  }
  SIMT_DEVICE static int64_t expert_of_weights(const ExpertRows& /*x*/, int64_t expert) { return expert; }
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows& x, int64_t expert) { return expert * x.scales_of_expert_b; }

  /// Tiles are numbered expert by expert, as if each had all rows.
  template <class Rules>
  SIMT_DEVICE static bool enter(Arguments& x, int64_t& row) {
    constexpr int64_t kTile = Rules::Unit::kM;
    const int64_t expert = row / kTile / x.tiles;
    row = row / kTile % x.tiles * kTile;
    const int64_t first = Rules::first_row(x, expert), size = Rules::template rows<Rules>(x, expert);
    if (row >= size) return false;
    x.m = size;
    x.a += first * x.pitch_a / kCodesInByte<typename Rules::CodesOfA>;
    x.d = static_cast<char*>(x.d) + first * x.pitch_d * (x.y == ResultType::kF32 ? 4 : 2);
    x.b += Rules::expert_of_weights(x, expert) * x.n * x.pitch_b / kCodesInByte<typename Rules::CodesOfB>;
    Rules::template move_scales<Rules>(x, expert, first);
    return true;
  }
};

/// One scale for each row.
template <class Base>
struct AtOffsets : ExpertsAtOffsets<Base, OffsetGemmArguments> {
  static constexpr bool kTakesBias = false;
  SIMT_DEVICE static int64_t place_of_scales_a(const OffsetGemmArguments& x, int64_t first) { return first * x.step_of_scale_a; }
  template <class Rules>
  SIMT_DEVICE static void move_scales(OffsetGemmArguments& x, int64_t expert, int64_t first) {
    x.scale_a += Rules::place_of_scales_a(x, first);
    x.scale_b += Rules::place_of_scales_b(x, expert);
  }
};

// Fast accumulation over all of k, for a and b exchanged and not.
// Source: vLLM v0.32.0, grouped_mm_c3x_sm90.cu and get_group_starts.cuh, ScaledEpilogueArray.
struct VllmMoeMm : AtOffsets<WeightFirst<units::Sm90WgmmaE4m3F32>> {
  static constexpr const char* kContract = "vllm.cutlass_moe_mm.sm_90";
};
struct VllmMoeMmSwapAb : AtOffsets<TokenFirst<units::Sm90WgmmaE4m3F32>> {
  static constexpr const char* kContract = "vllm.cutlass_moe_mm_swap_ab.sm_90";
};
// Source: torch 017943b7, ScaledGroupMM.cu.
struct TorchGroupedMmFast : AtOffsets<TokenFirst<units::Sm90WgmmaE4m3F32>> {
  static constexpr const char* kContract = "torch.scaled_grouped_mm_fast.sm_90";
  static constexpr bool kEnds = true;
};

/// MXFP8 and FP4: the instruction applies the scales, of which each expert has whole tiles.
template <class Rules, class Base = TiledScales<Rules, units::Sm100Tcgen05MxE4m3F32>>
struct MxAtOffsets : ExpertsAtOffsets<Base, OffsetMxArguments> {
  SIMT_DEVICE static int64_t row_of_tiles(const OffsetMxArguments& x, int64_t expert, int64_t /*first*/) { return x.tile_rows[expert]; }
  SIMT_DEVICE static int64_t expert_of_alpha(const OffsetMxArguments& /*x*/, int64_t expert) { return expert; }
  SIMT_DEVICE static const float* moved(const float* bytes, int64_t by) {
    return reinterpret_cast<const float*>(reinterpret_cast<const uint8_t*>(bytes) + by);
  }
  template <class R>
  SIMT_DEVICE static void move_scales(OffsetMxArguments& x, int64_t expert, int64_t first) {
    x.scale_a.data = moved(x.scale_a.data, R::row_of_tiles(x, expert, first) * x.scale_a.row_stride);
    x.scale_b.data = moved(x.scale_b.data, R::place_of_scales_b(x, expert));
    if (R::kOuterOfB) x.global_b += R::expert_of_alpha(x, expert);
  }
};
// Source: vLLM bde90062, cutlass_mxfp8_grouped_mm_functor.cuh, and b56f185f, cutlass_mxfp8_grouped_mm_traits.cuh.
struct VllmMxGrouped : MxAtOffsets<VllmMxGrouped> {
  static constexpr const char* kContract = "vllm.cutlass_mxfp8_grouped_mm.sm_100";
};

/// NVFP4: the fp32 sum is multiplied by the alpha of the expert. It is passed as the scale of the expert's weights.
template <class Rules, class MatrixUnit>
struct TimesAlphaOfExpert : MxAtOffsets<Rules, Fp4Product<Rules, MatrixUnit>> {
  static constexpr bool kOuterOfB = true;
  template <class Y>
  SIMT_DEVICE static float finished(const BlockGemmArguments& x, int64_t /*column*/, float sum) {
    return x.global_b[0] * sum;
  }
};
// Source: vLLM v0.33.0, nvfp4_blockwise_moe_kernel.cu and mxfp4_blockwise_moe_kernel.cu.
struct VllmNvfp4Grouped : TimesAlphaOfExpert<VllmNvfp4Grouped, units::Sm100Tcgen05Nvf4F32> {
  static constexpr const char* kContract = "vllm.cutlass_fp4_group_mm.sm_100";
};
struct VllmNvfp4GroupedSm120 : TimesAlphaOfExpert<VllmNvfp4GroupedSm120, units::Sm120MmaNvf4F32> {
  static constexpr const char* kContract = "vllm.cutlass_fp4_group_mm.sm_120";
};
struct VllmMxfp4Grouped : MxAtOffsets<VllmMxfp4Grouped, Fp4Product<VllmMxfp4Grouped, units::Sm100Tcgen05Mxf4F32>> {
  static constexpr const char* kContract = "vllm.cutlass_mxfp4_group_mm.sm_100";
};

template <class Rules>
void run_offset_mx(const Call& call) {
  using U = typename Rules::Unit;
  OffsetMxArguments x = offset_mx_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, U::kM,
                                            Rules::kLevel, Rules::kProducts);
  if (Rules::kOuterOfB) x.global_b = outer_scales(call, "global_scale_b", x.experts);
  const int64_t tiles = x.experts * x.tiles * ((x.n + U::kN - 1) / U::kN);
  if (tiles == 0) return;
  with_warp(call, [&](auto warp) {
    simt::launch(unit_scaled_product<U, Rules, warp.value>, call.grid(tiles, units::kThreads<U, warp.value>), x);
  });
}

template <class Rules>
void run_offset_mx_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_offset_mx<R>(call);
  });
}

template <class Rules>
void run_offset_gemm(const Call& call) {
  using U = typename Rules::Unit;
  const OffsetGemmArguments x =
      offset_gemm_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, Rules::kEnds, U::kM);
  const int64_t tiles = x.experts * x.tiles * ((x.n + U::kN - 1) / U::kN);
  if (tiles == 0) return;
  with_warp(call, [&](auto warp) {
    simt::launch(scaled_product<U, Rules, warp.value>, call.grid(tiles, units::kThreads<U, warp.value>), x);
  });
}

template <class Rules>
void run_offset_gemm_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_offset_gemm<R>(call);
  });
}

// Table rows for rules that have an instruction here.

template <class Rules>
void run_grouped_gemm(const Call& call) {
  using U = typename Rules::Unit;
  static_assert(Rules::kTileRows % U::kM == 0, "all rows of an instruction's tile have one expert");
  const GroupedGemmArguments x =
      grouped_gemm_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, Rules::kMasked,
                             Rules::kRowsOfScaleB, Rules::kTileRows);
  const int64_t tiles = x.m / U::kM * ((x.n + U::kN - 1) / U::kN);
  if (tiles == 0) return;
  with_warp(call, [&](auto warp) {
    simt::launch(block_scaled_product<U, Rules, warp.value>, call.grid(tiles, units::kThreads<U, warp.value>), x);
  });
}

template <class Rules>
void run_grouped_gemm_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_grouped_gemm<R>(call);
  });
}

/// A kernel for the rules whose instruction is available.
template <class Rules>
std::vector<Kernel> grouped_gemm_rows(const std::string& name, void (*run)(const Call&) = run_grouped_gemm_by_contract<Rules>) {
  const std::vector<std::string> contracts = gemm_contracts<Rules>();
  if (contracts.empty()) return {};
  return {{name, "gemm_grouped", contracts, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run}};
}

}  // namespace assay_kernels
