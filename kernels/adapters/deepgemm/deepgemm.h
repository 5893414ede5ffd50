// Shared by the adapters of DeepGEMM's scale packers and GEMMs: the compiled shapes, and the check for contiguous rows. DeepGEMM
// compiles a kernel for each shape at run time. The adapter compiles kernels in advance, only for the shapes of golden/witness.
#pragma once

#include <cuda_bf16.h>

#include <cstdio>
#include <cutlass/detail/helper_macros.hpp>
#include <deep_gemm/impls/smxx_layout.cuh>
#include <utility>

#include "assay/cuda_plugin.hpp"

namespace assay::deepgemm {

using cuda::Call;
using cuda::unsupported;

using Columns = std::integer_sequence<uint32_t, 1, 3, 4, 5, 6, 7, 12, 56>;

/// Calls f with `number` as a compile-time constant. Rejects the call if no kernel is compiled for this number.
template <uint32_t... N, class F>
void with_number(int64_t number, std::integer_sequence<uint32_t, N...>, F f) {
  const bool found = ((number == N ? (f(std::integral_constant<uint32_t, N>()), true) : false) || ...);
  if (!found) unsupported("this adapter contains kernels only for the shapes of the recorded calls in golden/witness");
}

inline unsigned blocks(int64_t rows, int64_t a_block) { return unsigned((rows + a_block - 1) / a_block); }

inline bool is_contiguous(const assay_tensor& x) { return x.strides[1] == 1 && (x.shape[0] == 1 || x.strides[0] == x.shape[1]); }

// GEMMs for sm_90 (products.cu). They are compiled only for DeepGEMM commits that have the psum layout (an array of the experts' row ends).

void product_1d2d(const Call& call);
void product_1d1d(const Call& call);
void grouped_contiguous(const Call& call);
void grouped_masked(const Call& call);
void grouped_psum(const Call& call);
void grouped_along_k(const Call& call);

}  // namespace assay::deepgemm
