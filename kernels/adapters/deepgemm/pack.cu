// libassay_deepgemm.so: DeepGEMM's scale packers at one commit, as a plug-in. smxx_layout.cuh is unchanged. The launches follow
// smxx_layout.hpp.
#include "deepgemm.h"

// Since DeepGEMM 2.6 the packers also take an array of the experts' row ends (psum layout; the adapter passes null) and an alignment along k.
#ifdef ASSAY_HAS_PSUM
#define ASSAY_NO_GROUPS , nullptr, 0
#define ASSAY_K_ALIGNMENT , 128
#else
#define ASSAY_NO_GROUPS
#define ASSAY_K_ALIGNMENT
#endif

namespace {

using namespace assay::deepgemm;

template <uint32_t Sf>
void pack_rows(const Call& call, float* x, uint32_t* words, uint32_t rows) {
  deep_gemm::transpose_and_pack_fp32_into_ue8m0<512, 48, Sf>
      <<<dim3(blocks(rows, 48), 1), 512, 48 * Sf * 4, call.stream()>>>(x, words, rows ASSAY_NO_GROUPS);
}

void pack(const Call& call) {
  const auto x = call.in<float>("x");
  const auto words = call.out<int32_t>("scale");
  const auto rows = uint32_t(x.rows()), columns = uint32_t(x.columns());
  float* const from = const_cast<float*>(x.data);
  auto* const to = reinterpret_cast<uint32_t*>(words.data);
  if (is_contiguous(call.at("x")))
    return with_number(columns, Columns(), [&](auto k) { pack_rows<decltype(k)::value>(call, from, to, rows); });
  if (rows % 4 != 0 || x.stride(0) != 1 || x.stride(1) != rows)
    unsupported("expected x row-major, or column-major with a multiple of 4 rows: DeepGEMM packs other layouts with torch, not with this kernel");
  const uint32_t packed = (columns + 3) / 4;
  deep_gemm::pack_fp32_into_ue8m0<1, 512, 128, 16, true><<<dim3(blocks(rows, 128), blocks(packed, 16)), 512, 0, call.stream()>>>(
      from, to, nullptr, rows, columns, packed, 128 ASSAY_K_ALIGNMENT);
}

/// Launches DeepGEMM's transpose_fp32.
void transpose(const Call& call) {
  const auto x = call.in<float>("x");
  const auto scale = call.out<float>("scale");
  if (!is_contiguous(call.at("x"))) unsupported("expected x row-major: DeepGEMM first copies other layouts with torch");
  with_number(x.columns(), Columns(), [&](auto k) {
    constexpr uint32_t kSf = decltype(k)::value;
    deep_gemm::transpose_fp32<512, 64, kSf>
        <<<dim3(blocks(x.rows(), 64), 1), 512, 64 * (kSf + (1 - kSf % 2)) * 4, call.stream()>>>(x.data, scale.data,
                                                                                                uint32_t(x.rows()));
  });
}

#ifdef ASSAY_HAS_PSUM
using Groups = std::integer_sequence<uint32_t, 1, 2, 3, 4, 5, 8>;

void pack_psum(const Call& call) {
  const auto x = call.in<float>("x");
  const auto words = call.out<int32_t>("scale");
  const auto layout = call.in<int32_t>("psum_layout");
  if (!is_contiguous(call.at("x"))) unsupported("with psum_layout, x must be row-major");
  with_number(x.columns(), Columns(), [&](auto k) {
    with_number(call.at("psum_layout").shape[0], Groups(), [&](auto groups) {
      constexpr uint32_t kSf = decltype(k)::value, kGroups = decltype(groups)::value;
      deep_gemm::transpose_and_pack_fp32_into_ue8m0<512, 48, kSf, kGroups, true>
          <<<dim3(blocks(x.rows(), 48), 1), 512, (48 * kSf + (kGroups * 2 + 3) / 4 * 4) * 4, call.stream()>>>(
              const_cast<float*>(x.data), reinterpret_cast<uint32_t*>(words.data), uint32_t(x.rows()),
              reinterpret_cast<const uint32_t*>(layout.data), uint32_t(call.integer("m_alignment")));
    });
  });
}
#endif

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::cuda::library(
      ASSAY_DEEPGEMM_NAME,
      {
#ifdef ASSAY_HAS_PSUM
          {"transpose_and_pack_fp32_into_ue8m0", "pack_scales", {"deepgemm.pack_ue8m0@2.6"}, {}, {}, pack},
          {"transpose_and_pack_fp32_into_ue8m0_psum", "pack_scales", {"deepgemm.pack_ue8m0_psum@2.6"}, {}, {}, pack_psum},
          {"sm90_fp8_gemm_1d2d", "gemm_block_scaled", {"deepgemm.fp8_gemm_1d2d.sm_90"}, {}, {}, product_1d2d},
          {"sm90_fp8_gemm_1d2d_contiguous", "gemm_grouped", {"deepgemm.m_grouped_fp8_gemm_contiguous.sm_90"}, {}, {}, grouped_contiguous},
          {"sm90_fp8_gemm_1d2d_masked", "gemm_grouped", {"deepgemm.m_grouped_fp8_gemm_masked.sm_90"}, {}, {}, grouped_masked},
          {"sm90_fp8_gemm_1d2d_psum", "gemm_grouped", {"deepgemm.m_grouped_fp8_gemm_psum.sm_90"}, {}, {}, grouped_psum},
          {"sm90_fp8_gemm_1d1d_along_k", "gemm_grouped", {"deepgemm.k_grouped_fp8_gemm_nt_contiguous.sm_90"}, {}, {}, grouped_along_k},
          {"sm90_fp8_gemm_1d1d", "gemm_block_scaled", {"deepgemm.fp8_gemm_1d1d.sm_90"}, {}, {}, product_1d1d},
#else
          {"transpose_and_pack_fp32_into_ue8m0", "pack_scales", {"deepgemm.pack_ue8m0@2.5"}, {}, {}, pack},
#endif
          {"transpose_fp32", "pack_scales", {"deepgemm.mn_major_tma_aligned_f32"}, {}, {}, transpose},
      });
}
