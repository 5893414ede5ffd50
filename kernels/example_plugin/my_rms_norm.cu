// An example kernel library for an NVIDIA GPU: one table row and one function for the kernel. assay/cuda_plugin.hpp does the
// rest. Copy this folder and replace the kernel.
// SPDX-License-Identifier: Apache-2.0
#include <assay/cuda_plugin.hpp>

namespace {

constexpr int kThreads = 256;

/// One block per row. Squares, sum, normalization and weight are fp32; the result is rounded once, at the end.
template <class T>
__global__ void my_rms_norm(const T* x, int64_t x_stride, const T* gamma, T* y, int64_t y_stride, int64_t n, float eps) {
  const T* const from = x + blockIdx.x * x_stride;
  T* const to = y + blockIdx.x * y_stride;
  float sum = 0;
  for (int64_t j = threadIdx.x; j < n; j += kThreads) sum += float(from[j]) * float(from[j]);
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
  __shared__ float of_warp[kThreads / 32];
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = sum;
  __syncthreads();
  sum = 0;
  for (const float part : of_warp) sum += part;
  const float r = rsqrtf(sum / float(n) + eps);
  for (int64_t j = threadIdx.x; j < n; j += kThreads) to[j] = T(float(from[j]) * r * float(gamma[j]));
}

/// A call that is rejected here, because of a type or stride, becomes a skipped case with a reason.
void run(const assay::cuda::Call& call) {
  assay::cuda::with_type<__nv_bfloat16, __half>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    const auto x = call.in<T>("x").dense_rows();
    const auto gamma = call.in<T>("gamma").dense();
    const auto y = call.out<T>("y").dense_rows();
    if (x.rows() == 0) return;
    my_rms_norm<<<unsigned(x.rows()), kThreads, 0, call.stream()>>>(x.data, x.stride(0), gamma.data, y.data, y.stride(0),
                                                                    x.columns(), float(call.number("eps")));
  });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::cuda::library("my_rms_norm_cuda",
                              {
                                  // columns: kernel, op, contracts, accepted case parameters, divisors, function
                                  {"my_rms_norm", "rms_norm", {"vllm.rms_norm@2026-06-18"}, {{"x", {"bf16", "f16"}}}, {}, run},
                              });
}
