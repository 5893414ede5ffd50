// gemm_grouped: how a tile of rows finds its expert. The kernels with the loop over k are in gemm_block_scaled and gemm_scaled.
// fused_moe: row s of d belongs to slot s (a token and one of its experts); lists in the call group the slots by expert.
#pragma once

#include "kernels/ops/gemm/gemm_block_scaled_kernel.h"
#include "kernels/ops/gemm/gemm_scaled_kernel.h"

namespace assay_kernels {

/// The call gives an expert index per row, or (masked) a number of rows per expert. b is dense, [experts, n, k]; scale_b is [experts, n / 128, k / 128].
struct GroupedGemmArguments : BlockGemmArguments {
  const int32_t* groups;  ///< masked: number of rows in use per expert; otherwise: index of the expert of each row, or -1
  int64_t experts;
  int64_t room;                                    ///< masked: rows of `a` and `d` per expert, a whole number of tiles; otherwise 0
  int64_t scales_of_expert_a, scales_of_expert_b;  ///< distance between the scales of successive experts, in elements; for scale_a only if masked
};

/// Rejects invalid calls. `masked`: tensor `tokens` has the rows in use of each expert; otherwise `expert_of_row` has the expert of
/// each row. `rows_of_b`: rows of `b` that share a scale. `tile_rows`: each expert begins at a multiple of this number of rows.
GroupedGemmArguments grouped_gemm_arguments(const Call& call, int a_type, int b_type, bool masked, int64_t rows_of_b,
                                            int64_t tile_rows, const ScaleLevel& level = kFloatScales);

/// Rules of a GEMM whose rows belong to experts. All rows of a tile belong to the same expert.
template <class Base>
struct OfExperts : Base {
  using Arguments = GroupedGemmArguments;
  static constexpr int64_t kTileRows = 128;

  /// Moves x.b, x.scale_b and, if masked, x.scale_a to the tile's expert. Returns false to skip a tile without expert.
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

/// On sm_100, the instruction applies the scales. A word holds four packed scales.
/// Source: DeepGEMM 54e22612, sm100_fp8_fp4_gemm_1d1d.cuh.
struct DeepGemmContiguousPacked : OfExperts<DeepGemmPacked> {
  static constexpr const char* kContract = "deepgemm.m_grouped_fp8_gemm_contiguous.sm_100";
  static constexpr bool kMasked = false;
  SIMT_DEVICE static int64_t expert_of(const GroupedGemmArguments& x, int64_t row) { return x.groups[row]; }
};
struct DeepGemmMaskedPacked : OfExperts<DeepGemmPacked> {
  static constexpr const char* kContract = "deepgemm.m_grouped_fp8_gemm_masked.sm_100";
  static constexpr bool kMasked = true;
  SIMT_DEVICE static int64_t expert_of(const GroupedGemmArguments& x, int64_t row) { return DeepGemmMasked::expert_of(x, row); }
};

// Experts at offsets: an expert may begin at any row of `a`. Each row of `a` has a scale; `b` has a scale for each row or for each expert.

struct ExpertRows {
  const int32_t* offsets;  ///< the first row of each expert; nullptr: where the previous expert ends
  const int32_t* sizes;    ///< with offsets, [experts, 3]: rows, n, k; otherwise [experts]: where each expert ends, or (masked) its rows in use
  int64_t experts;
  int64_t tiles;               ///< tiles along m per expert, enough for an expert that has all rows
  int64_t room;                ///< masked: rows of `a` and `d` per expert; `sizes` tells how many are in use; otherwise 0
  int64_t scales_of_expert_b;  ///< distance between the scales of successive experts, in elements
};

/// `a` is [m, k], `d` is [m, n], and `b` is dense, [experts, n, k]. enter() sets m and the pointers to the values for one expert.
struct OffsetGemmArguments : GemmArguments, ExpertRows {};

/// Experts at offsets, with scale bytes in tiles of 128 rows. In scale_a, each expert begins a new tile.
struct OffsetMxArguments : BlockGemmArguments, ExpertRows {
  const int32_t* tile_rows;  ///< for each expert the row of scale_a, a multiple of 128, where its scales begin
};

/// Experts at offsets, with block scales: scale_a is one matrix for all rows of `a`, scale_b has one matrix per expert.
struct OffsetBlockArguments : BlockGemmArguments, ExpertRows {};

/// The tensors that state each expert's rows. kOffsets: `expert_offsets` and `problem_sizes`. kEnds: `expert_ends`. kTokens: `tokens`, the rows in use.
enum class ExpertTensor { kOffsets, kEnds, kTokens };

/// Reads the tensors; rejects invalid calls. `rows`: which tensors state the experts' rows. `tile`: rows of a tile.
OffsetGemmArguments offset_gemm_arguments(const Call& call, int a_type, int b_type, ExpertTensor rows, int64_t tile);

/// Also reads block scales. If scale_rows > 0, each expert begins at a multiple of scale_rows in scale_a, which has space for the worst case.
OffsetBlockArguments offset_block_arguments(const Call& call, int a_type, int b_type, int64_t tile, int64_t rows_of_b, const ScaleLevel& level, int64_t products, int64_t scale_rows);

/// Reads `expert_offsets`, `problem_sizes`, and `blockscale_offsets` (tile_rows); rejects invalid calls.
OffsetMxArguments offset_mx_arguments(const Call& call, int a_type, int b_type, int64_t tile, const ScaleLevel& level, int64_t products);

template <class Base, class GemmArguments>
struct ExpertsAtOffsets : Base {
  using Arguments = GemmArguments;
  static constexpr ExpertTensor kRows = ExpertTensor::kOffsets;

  SIMT_DEVICE static int64_t first_row(const ExpertRows& x, int64_t expert) {
    if (x.offsets) return x.offsets[expert];
    if (x.room > 0) return expert * x.room;
    return expert > 0 ? x.sizes[expert - 1] : 0;
  }
  template <class Rules>
  SIMT_DEVICE static int64_t rows(const Arguments& x, int64_t expert) {
    if (x.room > 0) return x.sizes[expert];
    return x.offsets ? x.sizes[3 * expert] : x.sizes[expert] - Rules::first_row(x, expert);
  }
  SIMT_DEVICE static int64_t expert_of_weights(const ExpertRows& /*x*/, int64_t expert) { return expert; }
  SIMT_DEVICE static int64_t place_of_scales_b(const ExpertRows& x, int64_t expert) { return expert * x.scales_of_expert_b; }

  /// Finds the expert of the tile at `row` of the grid (x.tiles tiles per expert), sets x to its values, and replaces `row` by the row within the expert.
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

/// Rules for experts at offsets: each row of `a` has a scale.
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

// Accumulates over all of k without promotion. SwapAb: `a` and `b` are exchanged.
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
  static constexpr ExpertTensor kRows = ExpertTensor::kEnds;
};
/// Multiplies by the scale of the row of `a`, then of the row of `b`, in a build that flushes subnormals to zero.
template <class MatrixUnit>
struct FlushedTokenFirst : GemmRules<MatrixUnit> {
  template <class>
  SIMT_DEVICE static float scaled(float sum, float sa, float sb, float /*bias*/) {
    return flushed(flushed(sum * flushed(sa)) * flushed(sb));
  }
};
/// Masked experts, with shuffled weights.
/// Source: AITER e4048607, csrc/ck_deepgemm, and ck_tile's GroupedFlatmmKernel and CShuffleEpilogue.
struct AiterDeepGemm : AtOffsets<OfShuffledWeight<LaneOrder<FlushedTokenFirst<units::Gfx942MfmaE4m3fnuzF32>, 4, 16>>> {
  static constexpr const char* kContract = "aiter.deepgemm.gfx942";
  static constexpr ExpertTensor kRows = ExpertTensor::kTokens;
};

/// Block scales. An expert begins where the previous one ends, or in AtNextTile at the next multiple of kTileRows.
template <class Base>
struct BlocksAtEnds : ExpertsAtOffsets<Base, OffsetBlockArguments> {
  static constexpr ExpertTensor kRows = ExpertTensor::kEnds;
  static constexpr int64_t kScaleRows = 0;
  SIMT_DEVICE static int64_t row_of_scales_a(int64_t /*expert*/, int64_t first) { return first; }
  template <class Rules>
  SIMT_DEVICE static void move_scales(OffsetBlockArguments& x, int64_t expert, int64_t first) {
    x.scale_a.data += Rules::row_of_scales_a(expert, first) * x.scale_a.row_stride;
    x.scale_b.data += Rules::place_of_scales_b(x, expert);
  }
};
/// Source: FlashInfer fb28d724, group_gemm_fp8_groupwise_sm100.cuh and group_gemm_fp8_groupwise_sm120.cuh.
struct FlashinferGroupwise : BlocksAtEnds<ProductOfScales<units::Sm100Tcgen05E4m3F32>> {
  static constexpr const char* kContract = "flashinfer.group_gemm_fp8_nt_groupwise.sm_100";
};
struct FlashinferGroupwiseSm120 : BlocksAtEnds<ProductOfScales<units::Sm120MmaE4m3F32>> {
  static constexpr const char* kContract = "flashinfer.group_gemm_fp8_nt_groupwise.sm_120";
};
/// Each expert begins at the first multiple of kTileRows after the end of the previous one.
/// Source: DeepGEMM 54e22612, scheduler/gemm.cuh, GemmType::MGroupedContiguousWithPsumLayout.
template <class Base>
struct AtNextTile : BlocksAtEnds<Base> {
  static constexpr int64_t kTileRows = 128;
  SIMT_DEVICE static int64_t first_row(const ExpertRows& x, int64_t expert) {
    return expert > 0 ? (x.sizes[expert - 1] + kTileRows - 1) / kTileRows * kTileRows : 0;
  }
};
struct DeepGemmPsum : AtNextTile<DeepGemm1d2d> {
  static constexpr const char* kContract = "deepgemm.m_grouped_fp8_gemm_psum.sm_90";
};
struct DeepGemmPsumPacked : AtNextTile<DeepGemmPacked> {
  static constexpr const char* kContract = "deepgemm.m_grouped_fp8_gemm_psum.sm_100";
};
/// In scale_a, which holds packed scales, each expert begins at a multiple of four rows.
/// Source: FlashInfer fb28d724, csrc/cute_sm120_mxfp8_groupwise.
template <int64_t kElements>
struct FlashinferMxMoe : BlocksAtEnds<PackedScales<BlockRules<units::Sm120MmaMxE4m3F32>>> {
  static constexpr bool kInUnit = true;
  static constexpr int64_t kProducts = kElements, kScaleRows = 4;
  SIMT_DEVICE static int64_t row_of_scales_a(int64_t expert, int64_t first) { return (first + 3 * expert) / 4 * 4; }
};
struct FlashinferMxMoe128 : FlashinferMxMoe<128> {
  static constexpr const char* kContract = "flashinfer.moe_gemm_mxfp8_nt_groupwise.sm_120";
};
struct FlashinferMxMoe32 : FlashinferMxMoe<32> {
  static constexpr const char* kContract = "flashinfer.moe_gemm_mxfp8_nt_groupwise_g32.sm_120";
};

// Experts along k: expert e has k_of[e] elements along k, and its own d with m rows and n columns.

/// m and n are the rows and columns of one expert's `d`. `a`, `b` and `d` are dense, with one expert after the other.
struct KGroupedArguments : BlockGemmArguments {
  const int32_t* k_of;  ///< number of elements along k of each expert
  int64_t experts;
  int64_t tiles;        ///< tiles along m of an expert
};

/// Rejects invalid calls. `tile`: rows of a tile of `d`.
KGroupedArguments k_grouped_arguments(const Call& call, int a_type, int b_type, int64_t tile);

/// Source: DeepGEMM 54e22612, sm90_fp8_gemm_1d1d.cuh and scheduler/gemm.cuh, GemmType::KGroupedContiguous.
struct DeepGemmKGrouped : DeepGemm1d1d {
  static constexpr const char* kContract = "deepgemm.k_grouped_fp8_gemm_nt_contiguous.sm_90";
  using Arguments = KGroupedArguments;

  SIMT_DEVICE static int64_t first_scale_a(int64_t first) { return first / kProductsOfScale; }
  SIMT_DEVICE static int64_t first_scale_b(int64_t first) { return first / kProductsOfScale; }
  SIMT_DEVICE static int64_t expert_of_c(int64_t expert) { return expert; }

  /// The grid has x.tiles tiles along m for each expert. Sets the fields of x to those of the expert of tile row `row`, and `row`
  /// to its row in the expert.
  template <class Rules>
  SIMT_DEVICE static bool enter(KGroupedArguments& x, int64_t& row) {
    constexpr int64_t kTile = Rules::Unit::kM;
    const int64_t expert = row / kTile / x.tiles;
    row = row / kTile % x.tiles * kTile;
    int64_t first = 0;
    for (int64_t other = 0; other < expert; ++other) first += x.k_of[other];
    x.k = x.k_of[expert];
    x.pitch_a = x.pitch_b = x.k;
    x.part = x.k > 0 ? x.k : 1;
    x.a += first * x.m, x.b += first * x.n;
    x.scale_a.data += Rules::first_scale_a(first) * x.scale_a.block_stride;
    x.scale_b.data += Rules::first_scale_b(first) * x.scale_b.block_stride;
    x.d = static_cast<float*>(x.d) + expert * x.m * x.pitch_d;
    x.c = static_cast<const float*>(x.c) + Rules::expert_of_c(expert) * x.m * x.n;
    return true;
  }
};

template <class Rules>
void run_k_grouped(const Call& call) {
  using U = typename Rules::Unit;
  const KGroupedArguments x = k_grouped_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, U::kM);
  const int64_t tiles = x.experts * x.tiles * ((x.n + U::kN - 1) / U::kN);
  launch_scaled<Rules>(call, tiles, x);
}

template <class Rules>
void run_k_grouped_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_k_grouped<R>(call);
  });
}

/// MXFP8 and FP4: the instruction applies the scales. In scale_a and scale_b, each expert begins a new tile of scales.
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

/// NVFP4: multiplies the fp32 sum by the expert's alpha. Calls pass alpha as the scale of the expert's weights.
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
  launch_scaled<Rules>(call, tiles, x);
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
      offset_gemm_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, Rules::kRows, U::kM);
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

template <class Rules>
void run_blocks_at_ends(const Call& call) {
  using U = typename Rules::Unit;
  const OffsetBlockArguments x = offset_block_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, U::kM,
                                                        Rules::kRowsOfScaleB, Rules::kLevel, Rules::kProducts, Rules::kScaleRows);
  const int64_t tiles = x.experts * x.tiles * ((x.n + U::kN - 1) / U::kN);
  launch_scaled<Rules>(call, tiles, x);
}

template <class Rules>
void run_blocks_at_ends_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_blocks_at_ends<R>(call);
  });
}

// Rows of the kernel table for rules whose instruction this build has.

template <class Rules>
void run_grouped_gemm(const Call& call) {
  using U = typename Rules::Unit;
  static_assert(Rules::kTileRows % U::kM == 0, "all rows in a tile of the instruction must have the same expert");
  const GroupedGemmArguments x =
      grouped_gemm_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, Rules::kMasked,
                             Rules::kRowsOfScaleB, Rules::kTileRows, Rules::kLevel);
  const int64_t tiles = x.m / U::kM * ((x.n + U::kN - 1) / U::kN);
  launch_scaled<Rules>(call, tiles, x);
}

template <class Rules>
void run_grouped_gemm_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_grouped_gemm<R>(call);
  });
}

/// A kernel for the contracts whose instruction is available.
template <class Rules>
std::vector<Kernel> grouped_gemm_rows(const std::string& name, void (*run)(const Call&) = run_grouped_gemm_by_contract<Rules>) {
  const std::vector<std::string> contracts = gemm_contracts<Rules>();
  if (contracts.empty()) return {};
  return {{name, "gemm_grouped", contracts, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run}};
}

// fused_moe.

struct FusedMoeArguments : GemmOperands {  // m: slots, the rows of d
  const int32_t *slots, *experts_of_blocks, *end;  ///< sorted_token_ids, expert_ids, num_tokens_post_padded
  int64_t blocks, block_m, topk, experts;
  BlockScales scale_a, scale_b;  ///< one scale per row: block_stride is 0; one scale for all rows: row_stride is 0 too
  int64_t scales_of_expert_b;
  const float *bias, *weights;   ///< [experts, n] and [slots]; nullptr: none
};

/// Rejects invalid calls. `of_blocks`: `a` has a scale per row and per 128 elements along k; otherwise one per row, or one for all rows.
FusedMoeArguments fused_moe_arguments(const Call& call, int a_type, int b_type, bool of_blocks);

/// Defaults. kBlockK: number of elements along k after which their sum is scaled and added to the accumulator; 0: scaled only after all of k.
template <class MatrixUnit, int kBlockK>
struct FusedMoeRules : PlainProduct<MatrixUnit> {
  static constexpr int64_t kPromote = kBlockK;
  static constexpr bool kOfBlocks = kBlockK > 0;
  using Arguments = FusedMoeArguments;

  SIMT_DEVICE static bool is_in_use(const Arguments& x, int64_t block) { return block * x.block_m < *x.end; }
  SIMT_DEVICE static int64_t expert_of_block(const Arguments& x, int64_t block) { return x.experts_of_blocks[block]; }
  SIMT_DEVICE static int64_t expert_of_scales(const Arguments& /*x*/, int64_t expert) { return expert; }
  SIMT_DEVICE static int64_t expert_of_bias(const Arguments& /*x*/, int64_t expert) { return expert; }
  SIMT_DEVICE static int64_t row_of_slot(const Arguments& x, int64_t slot) { return slot / x.topk; }
  SIMT_DEVICE static int64_t block_of_scale_a(int64_t k) { return k / kProductsOfScale; }
  SIMT_DEVICE static float weight(const Arguments& x, int64_t slot, int64_t /*place*/) { return x.weights[slot]; }
  SIMT_DEVICE static float kept(float acc) { return acc; }  ///< changes the accumulator after each block's sum is added
  /// Writes 0 to an element of d for a slot whose block of slots has expert -1, which means an expert of another device.
  template <class Y>
  SIMT_DEVICE static void finish_absent(const Arguments& x, int64_t slot, int64_t column) {
    static_cast<Y*>(x.d)[slot * x.pitch_d + column] = simt::from_float<Y>(0.0f);
  }
  SIMT_DEVICE static float scaled(float sum, float /*sa*/, float /*sb*/) { return sum; }
  SIMT_DEVICE static float join(float /*chain*/, float /*sa*/, float /*sb*/, float acc) { return acc; }
  /// The scaled result plus bias, times the slot's router weight w (1 without weights), before it is rounded to Y.
  template <class Rules, class Y>
  SIMT_DEVICE static float finished(float sum, float sa, float sb, float bias, bool has_bias, float w) {
    const float scaled = Rules::scaled(sum, sa, sb);
    return (has_bias ? scaled + bias : scaled) * w;
  }
};

/// vLLM: accumulator += tl.dot(a, b) * a_scale * b_scale. The last multiplication and the addition are one FMA.
template <class MatrixUnit, int kBlockK>
struct VllmMoeOfBlocks : FusedMoeRules<MatrixUnit, kBlockK> {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(chain * sa, sb, acc); }
};
/// SGLang with BLOCK_SIZE_N up to 128: accumulator += tl.dot(a, b) * (a_scale * b_scale).
template <class MatrixUnit, int kBlockK>
struct SglangMoeOfBlocks : FusedMoeRules<MatrixUnit, kBlockK> {
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(sa * sb, chain, acc); }
};
/// vLLM: accumulator * a_scale * b_scale; SGLang: accumulator * (a_scale * b_scale).
template <class MatrixUnit>
struct VllmMoeOfRows : FusedMoeRules<MatrixUnit, 0> {
  SIMT_DEVICE static float scaled(float sum, float sa, float sb) { return (sum * sa) * sb; }
};
template <class MatrixUnit>
struct SglangMoeOfRows : FusedMoeRules<MatrixUnit, 0> {
  SIMT_DEVICE static float scaled(float sum, float sa, float sb) { return sum * (sa * sb); }
};

// Source: vLLM v0.33.0 and SGLang v0.5.23, fused_moe_kernel. For tiles of fewer than 64 rows, unless `a` and `b` are exchanged,
// Triton uses mma.sync, for which it converts the codes to fp16.
struct VllmMoeBlock : VllmMoeOfBlocks<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "vllm.fused_moe_block.sm_90";
};
struct VllmMoeBlockK64 : VllmMoeOfBlocks<units::Sm90WgmmaE4m3F32, 64> {
  static constexpr const char* kContract = "vllm.fused_moe_block_k64.sm_90";
};
struct VllmMoeBlockM16 : VllmMoeOfBlocks<units::Sm90MmaE4m3UnpackedF32, 128> {
  static constexpr const char* kContract = "vllm.fused_moe_block_m16.sm_90";
};
struct VllmMoeBlockM16K64 : VllmMoeOfBlocks<units::Sm90MmaE4m3UnpackedF32, 64> {
  static constexpr const char* kContract = "vllm.fused_moe_block_m16_k64.sm_90";
};
struct VllmMoeBlockSm89 : VllmMoeOfBlocks<units::Sm89MmaE4m3F32, 128> {
  static constexpr const char* kContract = "vllm.fused_moe_block.sm_89";
};
/// SWAP_AB: `a` and `b` are exchanged, so the scale of `b` is applied first.
struct VllmMoeBlockSwapAb : FusedMoeRules<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "vllm.fused_moe_block_swap_ab.sm_90";
  SIMT_DEVICE static float join(float chain, float sa, float sb, float acc) { return simt::fma(chain * sb, sa, acc); }
};
/// The sum is rounded to the type of d before it is multiplied by the router weight.
struct VllmMoeBlockCastFirst : VllmMoeBlock {
  static constexpr const char* kContract = "vllm.fused_moe_block_cast_first.sm_90";
  template <class Rules, class Y>
  SIMT_DEVICE static float finished(float sum, float /*sa*/, float /*sb*/, float /*bias*/, bool /*has_bias*/, float w) {
    return simt::to_float(simt::from_float<Y>(sum)) * w;
  }
};
struct VllmMoeChannel : VllmMoeOfRows<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.fused_moe_channel@v0.14.0.sm_90";
};
struct VllmMoeChannelM16 : VllmMoeOfRows<units::Sm90MmaE4m3UnpackedF32> {
  static constexpr const char* kContract = "vllm.fused_moe_channel_m16@v0.14.0.sm_90";
};
struct VllmMoeChannelSm89 : VllmMoeOfRows<units::Sm89MmaE4m3F32> {
  static constexpr const char* kContract = "vllm.fused_moe_channel@v0.14.0.sm_89";
};
struct VllmMoeInt8 : VllmMoeOfRows<units::Sm90MmaInt8Int32> {
  static constexpr const char* kContract = "vllm.fused_moe_int8@v0.14.0.sm_90";
};
struct VllmMoeInt8Gfx942 : VllmMoeOfRows<units::Gfx942MfmaInt8Int32> {
  static constexpr const char* kContract = "vllm.fused_moe_int8@v0.14.0.gfx942";
};
struct VllmMoeInt8Gfx950 : VllmMoeOfRows<units::Gfx950MfmaInt8Int32> {
  static constexpr const char* kContract = "vllm.fused_moe_int8@v0.14.0.gfx950";
};
/// Multiplies by the router weight before it applies the scales.
/// Source: vLLM v0.13.0.
template <class MatrixUnit>
struct WeightBeforeScales : FusedMoeRules<MatrixUnit, 0> {
  template <class Rules, class Y>
  SIMT_DEVICE static float finished(float sum, float sa, float sb, float /*bias*/, bool /*has_bias*/, float w) {
    return ((sum * w) * sa) * sb;
  }
};
struct VllmMoeChannelBefore : WeightBeforeScales<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "vllm.fused_moe_channel.sm_90";
};
struct VllmMoeChannelM16Before : WeightBeforeScales<units::Sm90MmaE4m3UnpackedF32> {
  static constexpr const char* kContract = "vllm.fused_moe_channel_m16.sm_90";
};
struct VllmMoeInt8Before : WeightBeforeScales<units::Sm90MmaInt8Int32> {
  static constexpr const char* kContract = "vllm.fused_moe_int8.sm_90";
};
struct VllmMoeBlockSm100 : VllmMoeOfBlocks<units::Sm100Tcgen05E4m3F32, 128> {
  static constexpr const char* kContract = "vllm.fused_moe_block.sm_100";
};
struct VllmMoeChannelSm100 : VllmMoeOfRows<units::Sm100Tcgen05E4m3F32> {
  static constexpr const char* kContract = "vllm.fused_moe_channel@v0.14.0.sm_100";
};
struct SglangMoeBlock : SglangMoeOfBlocks<units::Sm90WgmmaE4m3F32, 128> {
  static constexpr const char* kContract = "sglang.fused_moe_block.sm_90";
};
struct SglangMoeBlockM16 : SglangMoeOfBlocks<units::Sm90MmaE4m3UnpackedF32, 128> {
  static constexpr const char* kContract = "sglang.fused_moe_block_m16.sm_90";
};
struct SglangMoeChannel : SglangMoeOfRows<units::Sm90WgmmaE4m3F32> {
  static constexpr const char* kContract = "sglang.fused_moe_channel.sm_90";
};
struct SglangMoeInt8 : SglangMoeOfRows<units::Sm90MmaInt8Int32> {
  static constexpr const char* kContract = "sglang.fused_moe_int8.sm_90";
};

template <class Rules, class Y>
SIMT_DEVICE void store_slot(const FusedMoeArguments& x, int64_t slot, int64_t place, int64_t expert, int64_t column, float sum, float sa, float sb) {
  const float bias = x.bias ? x.bias[Rules::expert_of_bias(x, expert) * x.n + column] : 0.0f;
  const float w = x.weights ? Rules::weight(x, slot, place) : 1.0f;
  static_cast<Y*>(x.d)[slot * x.pitch_d + column] = simt::from_float<Y>(Rules::template finished<Rules, Y>(sum, sa, sb, bias, x.bias != nullptr, w));
}

/// A thread block computes one tile of d, of the instruction's size. Its rows are slots of one block of slots, which all have the
/// same expert. A block of slots has x.block_m entries. They may be fewer than the rows of a tile, or fill several tiles.
template <class U, class Rules, int kWarp>
SIMT_KERNEL void fused_moe_product(FusedMoeArguments x) {
  constexpr int kThreads = units::kThreads<U, kWarp>;
  using Step = StagedStep<U>;
  SIMT_SHARED(step, Step);
  const int64_t across = (x.n + U::kN - 1) / U::kN, tiles = (x.block_m + U::kM - 1) / U::kM;
  const int64_t column = simt::block() % across * U::kN, block = simt::block() / across / tiles;
  const int64_t in_block = simt::block() / across % tiles * U::kM, first = block * x.block_m + in_block;
  const int64_t rows = x.block_m - in_block < U::kM ? x.block_m - in_block : U::kM;
  if (!Rules::is_in_use(x, block)) return;
  const int64_t expert = Rules::expert_of_block(x, block);
  if (expert < 0) {
    for (int i = simt::thread(); i < rows * U::kN; i += kThreads) {
      const int64_t slot = x.slots[first + i / U::kN], c = column + i % U::kN;
      if (slot >= x.m || c >= x.n) continue;
      if (x.y == ResultType::kF32) Rules::template finish_absent<float>(x, slot, c);
      if (x.y == ResultType::kBf16) Rules::template finish_absent<simt::Bf16>(x, slot, c);
      if (x.y == ResultType::kF16) Rules::template finish_absent<simt::F16>(x, slot, c);
    }
    return;
  }
  const uint8_t* const b = x.b + expert * x.n * x.pitch_b;
  const float *const scales_a = x.scale_a.data, *const scales_b = x.scale_b.data + Rules::expert_of_scales(x, expert) * x.scales_of_expert_b;
  units::Operands factors{step.a, step.b, U::kK, U::kK};
  units::Tile<U, kWarp> chain;
  float acc[chain.kElements];
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) chain.at[i] = 0, acc[i] = 0.0f;
  const auto scale_of_row = [&](int64_t slot, int64_t k) {
    return scales_a[Rules::row_of_slot(x, slot) * x.scale_a.row_stride + (Rules::kOfBlocks ? Rules::block_of_scale_a(k) * x.scale_a.block_stride : 0)];
  };
  const auto scale_of_column = [&](int64_t c, int64_t k) {
    return scales_b[c / x.scale_b.rows * x.scale_b.row_stride + (Rules::kOfBlocks ? k / kProductsOfScale * x.scale_b.block_stride : 0)];
  };
  for (int64_t at = 0; at < x.k; at += U::kK) {
    for (int i = simt::thread(); i < U::kM * Step::kPitchA; i += kThreads) {
      const int64_t row = i / Step::kPitchA, k = at + i % Step::kPitchA, slot = row < rows ? x.slots[first + row] : x.m;
      step.a[i] = slot < x.m && k < x.k ? x.a[Rules::row_of_slot(x, slot) * x.pitch_a + k] : uint8_t{0};
    }
    for (int i = simt::thread(); i < U::kN * Step::kPitchB; i += kThreads) {
      const int64_t c = column + i / Step::kPitchB, k = at + i % Step::kPitchB;
      step.b[i] = c < x.n && k < x.k ? b[c * x.pitch_b + k] : uint8_t{0};
    }
    simt::barrier();
    units::mma<U, kWarp>(chain, factors);
    simt::barrier();
    if constexpr (Rules::kOfBlocks) {
      const bool joins = (at + U::kK) % Rules::kPromote == 0 || at + U::kK >= x.k;
      const int64_t begin = at / Rules::kPromote * Rules::kPromote;
      SIMT_UNROLL
      for (int i = 0; i < chain.kElements && joins; ++i) {
        const int64_t row = chain.row(i), c = column + chain.column(i), slot = row < rows ? x.slots[first + row] : x.m;
        if (slot >= x.m || c >= x.n) continue;
        acc[i] = Rules::kept(Rules::join(number_of_sum<U>(chain.at[i]), scale_of_row(slot, begin), scale_of_column(c, begin), acc[i]));
        chain.at[i] = 0;
      }
    }
  }
  SIMT_UNROLL
  for (int i = 0; i < chain.kElements; ++i) {
    const int64_t row = chain.row(i), c = column + chain.column(i), slot = row < rows ? x.slots[first + row] : x.m;
    if (slot >= x.m || c >= x.n) continue;
    const float sum = Rules::kOfBlocks ? acc[i] : number_of_sum<U>(chain.at[i]), sa = scale_of_row(slot, 0), sb = scale_of_column(c, 0);
    if (x.y == ResultType::kF32) store_slot<Rules, float>(x, slot, first + row, expert, c, sum, sa, sb);
    if (x.y == ResultType::kBf16) store_slot<Rules, simt::Bf16>(x, slot, first + row, expert, c, sum, sa, sb);
    if (x.y == ResultType::kF16) store_slot<Rules, simt::F16>(x, slot, first + row, expert, c, sum, sa, sb);
  }
}

template <class Rules>
void run_fused_moe(const Call& call) {
  using U = typename Rules::Unit;
  const FusedMoeArguments x =
      fused_moe_arguments(call, kTypeCode<typename Rules::CodesOfA>, kTypeCode<typename Rules::CodesOfB>, Rules::kOfBlocks);
  const int64_t tiles = x.blocks * ((x.block_m + U::kM - 1) / U::kM) * ((x.n + U::kN - 1) / U::kN);
  if (tiles == 0) return;
  with_warp(call, [&](auto warp) {
    simt::launch(fused_moe_product<U, Rules, warp.value>, call.grid(tiles, units::kThreads<U, warp.value>), x);
  });
}

template <class Rules>
void run_fused_moe_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_fused_moe<R>(call);
  });
}

/// A kernel for the contracts whose instruction is available.
template <class Rules>
std::vector<Kernel> fused_moe_rows(const std::string& name) {
  const std::vector<std::string> contracts = gemm_contracts<Rules>();
  if (contracts.empty()) return {};
  return {{name, "fused_moe", contracts, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_fused_moe_by_contract<Rules>}};
}

}  // namespace assay_kernels
