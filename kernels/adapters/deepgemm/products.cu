// DeepGEMM's fp8_gemm_1d2d and fp8_gemm_1d1d for sm_90. The adapter uses one tile size and one number of stages, whatever
// DeepGEMM's heuristics would choose.
#include <cuda.h>

#include "deepgemm.h"
#if __has_include(<deep_gemm/impls/sm90_fp8_gemm_1d2d.cuh>) && defined ASSAY_HAS_PSUM
#include <deep_gemm/impls/sm90_fp8_gemm_1d1d.cuh>
#include <deep_gemm/impls/sm90_fp8_gemm_1d2d.cuh>

namespace assay::deepgemm {
namespace {

constexpr uint32_t kRows = 64, kColumns = 128, kBlock = 128, kStages = 5, kMultiprocessors = 132, kMathThreads = 128,
                   kLoadThreads = 128;

constexpr int64_t up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// TMA descriptor of a row-major matrix, loaded in boxes of box_rows x box_columns. `bytes`: per element; `pitch`: in elements.
CUtensorMap map(const void* data, CUtensorMapDataType type, int bytes, int64_t columns, int64_t rows, int64_t pitch,
                int64_t box_columns, int64_t box_rows, CUtensorMapSwizzle swizzle) {
  static const auto encode = [] {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result{};
    cuda::good(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &result));
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(found);
  }();
  CUtensorMap made;
  const cuuint64_t extents[2] = {cuuint64_t(columns), cuuint64_t(rows)}, pitches[1] = {cuuint64_t(pitch * bytes)};
  const cuuint32_t box[2] = {cuuint32_t(box_columns), cuuint32_t(box_rows)}, steps[2] = {1, 1};
  if (encode(&made, type, 2, const_cast<void*>(data), extents, pitches, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) != CUDA_SUCCESS)
    unsupported("cuTensorMapEncodeTiled rejects a matrix with a row pitch of " + std::to_string(pitch * bytes) +
                " bytes; the pitch and the address must be multiples of 16");
  return made;
}

CUtensorMap codes(const assay_tensor& x, int64_t rows) {
  return map(x.data, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, x.shape[1], x.shape[0], x.strides[0], kBlock, rows,
             CU_TENSOR_MAP_SWIZZLE_128B);
}
/// TMA descriptor of column-major scales [rows, blocks of k].
CUtensorMap scales(const assay_tensor& s, int64_t rows) {
  const int64_t pitch = up(s.shape[0], 4);
  if (s.shape[1] > 1 && (s.strides[0] != 1 || s.strides[1] != pitch))
    unsupported(plugin::named(s) + " must be column-major, with columns " + std::to_string(pitch) + " elements apart");
  return map(s.data, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4, pitch, s.shape[1], pitch, rows, 1, CU_TENSOR_MAP_SWIZZLE_NONE);
}

template <class Kernel, class... Arguments>
void launch_with(const Call& call, uint32_t math_threads, Kernel kernel, int64_t shared, Arguments... arguments) {
  cuda::good(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared)));
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(kMultiprocessors), config.blockDim = dim3(math_threads + kLoadThreads);
  config.dynamicSmemBytes = size_t(shared), config.stream = call.stream();
  cuda::good(cudaLaunchKernelEx(&config, kernel, arguments...));
}

template <class Kernel, class... Arguments>
void launch(const Call& call, Kernel kernel, int64_t shared, Arguments... arguments) {
  launch_with(call, kMathThreads, kernel, shared, arguments...);
}

}  // namespace

void product_1d2d(const Call& call) {
  const assay_tensor &a = call.at("a"), &b = call.at("b"), &d = call.at("d"), &scale_b = call.at("scale_b");
  const int64_t k = a.shape[1], blocks_of_k = (k + kBlock - 1) / kBlock;
  const auto kernel =
      deep_gemm::sm90_fp8_gemm_1d2d_impl<cute::UMMA::Major::K, 0, 0, 0, 1, kRows, kColumns, kBlock, 128, 128, 128, kStages,
                                         kLoadThreads, kMathThreads, 1, false, kMultiprocessors, deep_gemm::GemmType::Normal,
                                         cutlass::bfloat16_t, deep_gemm::epilogue::transform::EpilogueIdentity>;
  const int64_t stage = kRows * kBlock + kColumns * kBlock + up(kRows * 4, 128);
  const int64_t shared = up(kRows * kColumns * 2, 1024) + kStages * stage + up(blocks_of_k * 4, 8) + 16 * 16;
  launch(call, kernel, shared, static_cast<float*>(scale_b.data), static_cast<int*>(nullptr), uint32_t(a.shape[0]),
         uint32_t(b.shape[0]), uint32_t(k), codes(a, kRows), codes(b, kColumns),
         map(d.data, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, d.shape[1], d.shape[0], d.strides[0], 64, kRows,
             CU_TENSOR_MAP_SWIZZLE_128B),
         scales(call.at("scale_a"), kRows));
}

/// d = c + a * b^T: copies `c` to `d`; the kernel adds the GEMM to `d`.
void product_1d1d(const Call& call) {
  const assay_tensor &a = call.at("a"), &b = call.at("b"), &d = call.at("d");
  call.copy_rows(d, call.at("c"));
  const auto kernel =
      deep_gemm::sm90_fp8_gemm_1d1d_impl<0, 0, 0, 1, kRows, kColumns, kBlock, 128, 128, kStages, kLoadThreads, kMathThreads, 1,
                                         false, kMultiprocessors, deep_gemm::GemmType::Normal, float>;
  const int64_t stage = kRows * kBlock + kColumns * kBlock + up(kRows * 4, 128) + up(kColumns * 4, 128);
  const int64_t shared = up(kRows * kColumns * 4, 1024) + kStages * stage + 16 * 16;
  launch(call, kernel, shared, static_cast<__nv_fp8_e4m3*>(nullptr), static_cast<__nv_fp8_e4m3*>(nullptr),
         static_cast<int*>(nullptr), static_cast<cute::TmaDescriptor*>(nullptr), uint32_t(a.shape[0]), uint32_t(b.shape[0]),
         uint32_t(a.shape[1]), codes(a, kRows), codes(b, kColumns), scales(call.at("scale_a"), kRows),
         scales(call.at("scale_b"), kColumns),
         map(d.data, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4, d.shape[1], d.shape[0], d.strides[0], kColumns, kRows,
             CU_TENSOR_MAP_SWIZZLE_NONE));
}

namespace {

/// Numbers of experts for which kernels are compiled: Experts in grouped_masked(), FewExperts in grouped_psum() and grouped_along_k().
using Experts = std::integer_sequence<uint32_t, 2, 3, 4>;
using FewExperts = std::integer_sequence<uint32_t, 1, 2, 3>;

/// `rows`: number of rows of `a`, or of each expert in masked calls. `scales_of_a`: [blocks of k, rows]; in masked calls, the experts'
/// scales follow each other.
template <deep_gemm::GemmType kType, uint32_t kExperts, cute::UMMA::Major kMajor, uint32_t kRows = assay::deepgemm::kRows>
void grouped(const Call& call, const assay_tensor& layout, int64_t rows, const CUtensorMap& scales_of_a) {
  constexpr uint32_t kMathThreads = 2 * kRows;
  const assay_tensor &a = call.at("a"), &b = call.at("b"), &d = call.at("d");
  const int64_t k = a.shape[1], n = b.shape[1], blocks_of_k = (k + kBlock - 1) / kBlock;
  const auto kernel = deep_gemm::sm90_fp8_gemm_1d2d_impl<kMajor, 0, 0, 0, kExperts, kRows, kColumns, kBlock, 128, 128, 128, kStages, kLoadThreads, kMathThreads, 1,
                                                         false, kMultiprocessors, kType, cutlass::bfloat16_t, deep_gemm::epilogue::transform::EpilogueIdentity>;
  const int64_t stage = kRows * kBlock + kColumns * kBlock + up(kRows * 4, 128);
  const int64_t shared = up(kRows * kColumns * 2, 1024) + kStages * stage + up(blocks_of_k * 4, 8) + 16 * 16;
  launch_with(call, kMathThreads, kernel, shared, static_cast<float*>(call.at("scale_b").data), static_cast<int*>(layout.data), uint32_t(rows), uint32_t(n), uint32_t(k), codes(a, kRows),
         map(b.data, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, k, b.shape[0] * n, k, kBlock, kColumns, CU_TENSOR_MAP_SWIZZLE_128B),
         map(d.data, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, n, d.shape[0], d.strides[0], 64, kRows, CU_TENSOR_MAP_SWIZZLE_128B), scales_of_a);
}

/// Calls f with the memory order of scale_b: K-major if blocks along k are contiguous, otherwise MN-major.
template <class F>
void with_major(const Call& call, F f) {
  const assay_tensor& scales = call.at("scale_b");
  if (scales.shape[2] == 1 || scales.strides[2] == 1) return f(std::integral_constant<cute::UMMA::Major, cute::UMMA::Major::K>());
  f(std::integral_constant<cute::UMMA::Major, cute::UMMA::Major::MN>());
}

}  // namespace

void grouped_contiguous(const Call& call) {
  with_major(call, [&](auto major) {
    grouped<deep_gemm::GemmType::MGroupedContiguous, 1, decltype(major)::value>(call, call.at("expert_of_row"), call.at("a").shape[0], scales(call.at("scale_a"), kRows));
  });
}

void grouped_masked(const Call& call) {
  const assay_tensor& s = call.at("scale_a");
  const int64_t experts = s.shape[0], room = s.shape[1], pitch = up(room, 4), blocks_of_k = s.shape[2];
  if ((blocks_of_k > 1 && s.strides[2] != pitch) || s.strides[1] != 1)
    unsupported(plugin::named(s) + " must be column-major, with columns " + std::to_string(pitch) + " elements apart");
  with_major(call, [&](auto major) {
    with_number(experts, Experts(), [&](auto count) {
      grouped<deep_gemm::GemmType::MGroupedMasked, decltype(count)::value, decltype(major)::value>(
          call, call.at("tokens"), room,
          map(s.data, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4, pitch, blocks_of_k * experts, pitch, kRows, 1, CU_TENSOR_MAP_SWIZZLE_NONE));
    });
  });
}

/// Uses tiles of 128 rows, because experts begin at multiples of 128.
void grouped_psum(const Call& call) {
  constexpr uint32_t kTile = 128;
  with_major(call, [&](auto major) {
    with_number(call.at("b").shape[0], FewExperts(), [&](auto count) {
      grouped<deep_gemm::GemmType::MGroupedContiguousWithPsumLayout, decltype(count)::value, decltype(major)::value, kTile>(
          call, call.at("expert_ends"), call.at("a").shape[0], scales(call.at("scale_a"), kTile));
    });
  });
}

/// Copies `c` to `d`; the kernel adds each expert's GEMM. For each expert, each multiprocessor rewrites its TMA descriptors of `a` and `b`.
void grouped_along_k(const Call& call) {
  const assay_tensor &a = call.at("a"), &b = call.at("b"), &d = call.at("d"), &k_of = call.at("expert_products");
  const int64_t experts = k_of.shape[0], m = d.shape[0] / experts, n = d.shape[1], k = a.shape[0] / m;
  static void* const descriptors = [] {
    void* made = nullptr;
    cuda::good(cudaMalloc(&made, kMultiprocessors * 2 * sizeof(CUtensorMap)));
    return made;
  }();
  call.copy_rows(d, call.at("c"));
  const auto codes_of = [&](const assay_tensor& x, int64_t rows, int64_t box) {
    return map(x.data, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, kBlock, rows, kBlock, kBlock, box, CU_TENSOR_MAP_SWIZZLE_128B);
  };
  with_number(experts, FewExperts(), [&](auto count) {
    const auto kernel = deep_gemm::sm90_fp8_gemm_1d1d_impl<0, 0, 0, decltype(count)::value, kRows, kColumns, kBlock, 128, 128, kStages, kLoadThreads, kMathThreads, 1,
                                                           false, kMultiprocessors, deep_gemm::GemmType::KGroupedContiguous, float>;
    const int64_t stage = kRows * kBlock + kColumns * kBlock + up(kRows * 4, 128) + up(kColumns * 4, 128);
    const int64_t shared = 2 * sizeof(CUtensorMap) + up(kRows * kColumns * 4, 1024) + kStages * stage + 16 * 16;
    launch(call, kernel, shared, static_cast<__nv_fp8_e4m3*>(a.data), static_cast<__nv_fp8_e4m3*>(b.data), static_cast<int*>(k_of.data),
           static_cast<cute::TmaDescriptor*>(descriptors), uint32_t(m), uint32_t(n), uint32_t(k), codes_of(a, m, kRows), codes_of(b, n, kColumns),
           scales(call.at("scale_a"), kRows), scales(call.at("scale_b"), kColumns),
           map(d.data, CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4, n, d.shape[0], d.strides[0], kColumns, kRows, CU_TENSOR_MAP_SWIZZLE_NONE));
  });
}

}  // namespace assay::deepgemm
#endif
