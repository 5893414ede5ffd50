// Kernels for an NVIDIA GPU: each breaks one rule, except a well-behaved one (innocent). Damage to the device and its memory must
// change only the verdict of the case that caused it. Each kernel is correct for fewer than four rows, so verdicts of its small
// cases show lasting damage. ci/device_strikes runs them.
#include <assay/cuda_plugin.hpp>

namespace {

constexpr int kThreads = 128;

/// One block per row, in which one thread computes the sum: slow, but correct for contract vllm.rms_norm@2026-06-18.
__global__ void norm(const __nv_bfloat16* x, int64_t x_stride, const __nv_bfloat16* gamma, __nv_bfloat16* y, int64_t y_stride, int64_t n, float eps) {
  __shared__ float r;
  const __nv_bfloat16* const from = x + blockIdx.x * x_stride;
  if (threadIdx.x == 0) {
    float sum = 0;
    for (int64_t j = 0; j < n; ++j) sum += float(from[j]) * float(from[j]);
    r = rsqrtf(sum / float(n) + eps);
  }
  __syncthreads();
  for (int64_t j = threadIdx.x; j < n; j += kThreads) y[blockIdx.x * y_stride + j] = __nv_bfloat16(float(from[j]) * r * float(gamma[j]));
}

__global__ void write(char* to, char value) { *to = value; }
__global__ void fail_an_assertion() { __trap(); }
__global__ void spin(volatile int* never) {
  while (*never == 0) {
  }
}

void run_norm(const assay::cuda::Call& call) {
  const auto x = call.in<__nv_bfloat16>("x").dense_rows();
  const auto gamma = call.in<__nv_bfloat16>("gamma").dense();
  const auto y = call.out<__nv_bfloat16>("y").dense_rows();
  if (x.rows() > 0)
    norm<<<unsigned(x.rows()), kThreads, 0, call.stream()>>>(x.data, x.stride(0), gamma.data, y.data, y.stride(0), x.columns(), float(call.number("eps")));
}

bool is_tall(const assay::cuda::Call& call) { return call.in<__nv_bfloat16>("x").dense_rows().rows() > 3; }
char* output_of(const assay::cuda::Call& call) { return reinterpret_cast<char*>(call.out<__nv_bfloat16>("y").dense_rows().data); }

/// Accesses an unmapped address.
void faults(const assay::cuda::Call& call) {
  run_norm(call);
  if (is_tall(call)) write<<<1, 1, 0, call.stream()>>>(reinterpret_cast<char*>(16), 1);
}

void traps(const assay::cuda::Call& call) {
  run_norm(call);
  if (is_tall(call)) fail_an_assertion<<<1, 1, 0, call.stream()>>>();
}

void hangs(const assay::cuda::Call& call) {
  run_norm(call);
  static int* never = nullptr;
  if (is_tall(call) && cudaMalloc(&never, sizeof *never) == cudaSuccess && cudaMemset(never, 0, sizeof *never) == cudaSuccess)
    spin<<<1, 1, 0, call.stream()>>>(never);
}

/// Writes into the guard zone before a tensor; the device reports no fault.
void writes_before(const assay::cuda::Call& call) {
  run_norm(call);
  if (is_tall(call)) write<<<1, 1, 0, call.stream()>>>(output_of(call) - 1000, 77);
}

/// Allocates all device memory and keeps it.
void takes_memory(const assay::cuda::Call& call) {
  run_norm(call);
  void* taken = nullptr;
  for (size_t piece = size_t{1} << 34; is_tall(call) && piece >= size_t{1} << 20; piece /= 2)
    while (cudaMalloc(&taken, piece) == cudaSuccess) {
    }
  cudaGetLastError();
}

/// Resets the device after the call's correct outputs were computed: all device memory of the process is gone.
void resets_device(const assay::cuda::Call& call) {
  run_norm(call);
  if (is_tall(call)) cudaDeviceReset();
}

assay::cuda::Kernel row(const char* name, void (*run)(const assay::cuda::Call&)) {
  return {name, "rms_norm", {"vllm.rms_norm@2026-06-18"}, {{"x", {"bf16"}}}, {}, run};
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  return assay::cuda::library("strikes_device", {row("faults", faults), row("traps", traps), row("hangs", hangs), row("writes_before", writes_before),
                                                 row("takes_memory", takes_memory), row("resets_device", resets_device), row("innocent", run_norm)});
}
