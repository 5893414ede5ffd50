// An example kernel library for an AMD GPU: one table row and one function for the kernel; assay/hip_plugin.hpp does the rest. It
// runs on a GPU, or without one on libassay_hip_runtime.so. Copy this folder and replace the kernel.
// SPDX-License-Identifier: Apache-2.0
#include <hip/hip_runtime.h>

#include <assay/hip_plugin.hpp>

namespace {

constexpr int kThreads = 256, kWave = 64;

/// Rounds an fp32 product to T. The empty asm keeps clang 22 from fusing the multiplication and the rounding into
/// v_fma_mixlo_f16 a, b, 0. That instruction adds +0, which loses the sign of -0.
template <class T>
__device__ T rounded(float product) {
  asm("" : "+v"(product));
  return T(product);
}

/// One block per row. Squares, sum, normalization and weight are fp32; the result is rounded once, at the end.
template <class T>
__global__ void my_rms_norm(const T* x, int64_t x_stride, const T* gamma, T* y, int64_t y_stride, int64_t n, float eps) {
  const T* const from = x + blockIdx.x * x_stride;
  T* const to = y + blockIdx.x * y_stride;
  float sum = 0;
  for (int64_t j = threadIdx.x; j < n; j += kThreads) sum += float(from[j]) * float(from[j]);
  for (int lanes = 32; lanes > 0; lanes /= 2) sum += __shfl_xor(sum, lanes);
  __shared__ float of_wave[kThreads / kWave];
  if (threadIdx.x % kWave == 0) of_wave[threadIdx.x / kWave] = sum;
  __syncthreads();
  sum = 0;
  for (int wave = 0; wave < kThreads / kWave; ++wave) sum += of_wave[wave];
  const float r = rsqrtf(sum / float(n) + eps);
  for (int64_t j = threadIdx.x; j < n; j += kThreads) to[j] = rounded<T>(float(from[j]) * r * float(gamma[j]));
}

/// A call that is rejected here, because of a type or stride, becomes a skipped case with a reason.
void run(const assay::hip::Call& call) {
  assay::hip::with_type<__bf16, _Float16>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    const auto x = call.in<T>("x").dense_rows();
    const auto gamma = call.in<T>("gamma").dense();
    const auto y = call.out<T>("y").dense_rows();
    if (x.rows() == 0) return;
    my_rms_norm<<<dim3(unsigned(x.rows())), dim3(kThreads), 0, call.stream()>>>(x.data, x.stride(0), gamma.data, y.data, y.stride(0), x.columns(),
                                                                                float(call.number("eps")));
  });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::hip::library(
      "my_rms_norm_hip", {
                             // columns: kernel, op, contracts, accepted case parameters, divisors, function
                             {"my_rms_norm", "rms_norm", {"vllm.rms_norm@2026-06-18"}, {{"x", {"bf16", "f16"}}}, {}, run},
                         });
}
