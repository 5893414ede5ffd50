// gemm_grouped: how a tile of rows finds its expert. The loop over k is that of gemm_block_scaled.
#pragma once

#include "kernels/ops/gemm/gemm_block_scaled_kernel.h"

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
std::vector<Kernel> grouped_gemm_rows(const std::string& name) {
  const std::vector<std::string> contracts = gemm_contracts<Rules>();
  if (contracts.empty()) return {};
  return {{name, "gemm_grouped", contracts, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_grouped_gemm_by_contract<Rules>}};
}

}  // namespace assay_kernels
