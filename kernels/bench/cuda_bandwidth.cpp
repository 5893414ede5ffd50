// Measures the time of each op on a GPU. Prints the time, the bytes that the op must move, and the rate relative to a device copy
// in the same run. All calls go through the C ABI. Buffers rotate, so no input is in the L2 cache.
// Usage: assay_cuda_bandwidth [library]
#include <algorithm>
#include <functional>
#include <vector>

#include "kernels/bench/cuda_calls.h"

namespace {

using namespace assay_kernels;

constexpr int kRuns = 101, kWarmUp = 10;

/// Seconds per call: the median of kRuns measurements, each between two CUDA events.
double median_seconds(cudaStream_t stream, const std::function<void(int)>& enqueue) {
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin), "cudaEventCreate");
  check(cudaEventCreate(&end), "cudaEventCreate");
  std::vector<float> times;
  for (int run = 0; run < kRuns + kWarmUp; ++run) {
    check(cudaEventRecord(begin, stream), "cudaEventRecord");
    enqueue(run % kBuffers);
    check(cudaEventRecord(end, stream), "cudaEventRecord");
    check(cudaEventSynchronize(end), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
    if (run >= kWarmUp) times.push_back(milliseconds);
  }
  check(cudaEventDestroy(begin), "cudaEventDestroy");
  check(cudaEventDestroy(end), "cudaEventDestroy");
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2] * 1e-3;
}

CallBuilder any_call_of(const Op& op, const Buffers& buffers, const Places& places, int b) {
  const std::string name = op.op;
  if (name == "dsv4_qnorm_kv_insert") return launch_call_of(buffers, places, b);
  if (name.find("norm_rope") != std::string::npos) return heads_call_of(op, buffers, places, b);
  if (name.find("cache") != std::string::npos || name.find("insert") != std::string::npos)
    return cache_call_of(op, buffers, places, b);
  return call_of(op, buffers, b);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : ASSAY_CUDA_LIBRARY;
  const assay_library& library = open_library(path.c_str());
  int index = 0, driver = 0;
  cudaDeviceProp properties{};
  check(cudaGetDevice(&index), "cudaGetDevice");
  check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  cudaStream_t stream;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  const Buffers buffers;
  const Places places;

  const double copy_seconds = median_seconds(stream, [&](int b) {
    check(cudaMemcpyAsync(buffers.y[b], buffers.x[b], kElements * 2, cudaMemcpyDeviceToDevice, stream), "copy");
  });
  const double copy_rate = double(kElements) * 4 / copy_seconds;
  std::printf("%s, sm_%d%d, driver %d, %lld x %lld bf16, median of %d runs\n", properties.name, properties.major, properties.minor,
              driver, static_cast<long long>(kRows), static_cast<long long>(kColumns), kRuns);
  std::printf("%-40s %9s %9s %9s %8s\n", "", "us", "MB", "GB/s", "x copy");
  std::printf("%-40s %9.1f %9.1f %9.0f %8s\n", "device copy", copy_seconds * 1e6, kElements * 4e-6, copy_rate * 1e-9, "");

  std::vector<Op> ops = {
      {"cast bf16 to e4m3fn", "cast", "cuda.e4m3fn_sat", "cast", kElements * 3},
      {"quant_group, fp32 scales", "quant_group", "vllm.group_fp8", "quant_group.register", kElements * 3 + kGroups * 4},
      {"quant_group, fp32 scales, multiply", "quant_group", "aiter.per_1x128", "quant_group.register",
       kElements * 3 + kGroups * 4},
      {"quant_group, packed", "quant_group", "vllm.group_fp8_packed", "quant_group.register", kElements * 3 + kGroups},
      {"quant_group through shared memory", "quant_group", "vllm.group_fp8", "quant_group.shared", kElements * 3 + kGroups * 4},
      {"quant_token", "quant_group", "vllm.per_token", "quant_token", kElements * 3 + kRows * 4},
      {"quant_group to int8", "quant_group", "vllm.group_int8", "quant_group.register", kElements * 3 + kGroups * 4},
      {"quant_group to int8, shared memory", "quant_group", "vllm.group_int8", "quant_group.shared", kElements * 3 + kGroups * 4},
      {"quant_token to int8", "quant_group", "vllm.per_token_int8", "quant_token", kElements * 3 + kRows * 4},
      {"quant_token to int8, ties away", "quant_group", "vllm.per_token_int8_triton", "quant_token", kElements * 3 + kRows * 4},
      {"quant_token_azp", "quant_azp", "vllm.per_token_int8_azp", "quant_token_azp", kElements * 3 + kRows * 8},
      {"quant_static to int8", "quant_static", "vllm.static_int8", "quant_static", kElements * 3},
      {"quant_static to int8, azp", "quant_static", "vllm.static_int8_azp", "quant_static", kElements * 3},
      {"quant_tensor", "quant_tile", "vllm.per_tensor", "quant_tensor", kElements * 5, 1, 1},
      {"quant_block, 128 x 128", "quant_tile", "deepgemm.per_block_cast", "quant_block", kElements * 3 + kGroups / 32,
       kRows / kGroup, kColumns / kGroup},
      {"quant_static, a tensor", "quant_static", "vllm.static", "quant_static", kElements * 3},
      {"quant_static, per token", "quant_static", "vllm.static_group", "quant_static.groups", kElements * 3 + kRows * 4, kRows,
       1},
      {"quant_static, per channel", "quant_static", "vllm.static_group", "quant_static.groups", kElements * 3 + kColumns * 4, 1,
       kColumns},
      {"quant_static, 1 x 128", "quant_static", "vllm.static_group", "quant_static.groups", kElements * 3 + kGroups * 4, kRows,
       kColumns / kGroup},
      {"quant_static, 128 x 128", "quant_static", "vllm.static_group", "quant_static.groups", kElements * 3 + kGroups / 32,
       kRows / kGroup, kColumns / kGroup},
      {"pack_scales, row-major", "pack_scales", "deepgemm.pack_ue8m0@2.6", "pack_scales", kScales * 5},
      {"pack_scales, MN-major", "pack_scales", "deepgemm.pack_ue8m0@2.6", "pack_scales", kScales * 5, 0, 0, true},
      {"pack_scales, transposed as fp32", "pack_scales", "deepgemm.mn_major_tma_aligned_f32", "pack_scales", kScales * 8},
      {"quant_mx, row-major", "quant_group", "torchao.mx_rceil", "quant_mx", kElements * 3 + kElements / kMxBlock},
      {"quant_mx, tiles of 128 x 4", "quant_group", "flashinfer.mxfp8", "quant_mx", kElements * 3 + kElements / kMxBlock, 0, 0,
       false, true},
      {"silu_mul_quant_group, 4096 x 2 x 7168", "silu_mul_quant_group", "vllm.fused_silu_mul_group", "silu_mul_quant_group",
       kElements * 2 + kElements / 2 + kGroups * 2},
      {"rms_norm", "rms_norm", "vllm.rms_norm@2026-06-18", "rms_norm", kElements * 4 + kColumns * 2},
      {"layer_norm", "layer_norm", "trtllm.layer_norm", "layer_norm", kElements * 4},
      {"layer_norm, fp32 weights", "layer_norm", "flashinfer.layer_norm", "layer_norm", kElements * 4},
      {"fused_add_rms_norm", "fused_add_rms_norm", "vllm.fused_add_rms_norm@2026-06-18", "fused_add_rms_norm", kElements * 8},
      {"rms_norm_quant_group, packed", "rms_norm_quant_group", "assay.rms_norm_group_packed", "rms_norm_quant_group",
       kElements * 3 + kGroups + kColumns * 2},
      {"rms_norm_quant_group, fp32 scales", "rms_norm_quant_group", "vllm.rms_norm_per_block_quant", "rms_norm_quant_group",
       kElements * 3 + kGroups * 4},
      {"rms_norm_quant_group to int8", "rms_norm_quant_group", "vllm.rms_norm_per_block_quant_int8", "rms_norm_quant_group",
       kElements * 3 + kGroups * 4},
      {"add, rms_norm_quant_group", "rms_norm_quant_group", "vllm.add_rms_norm_per_block_quant", "rms_norm_quant_group",
       kElements * 7 + kGroups * 4},
      {"rms_norm_quant_token", "rms_norm_quant_group", "vllm.rms_norm_dynamic_per_token_quant", "rms_norm_quant_token",
       kElements * 3 + kRows * 4},
      {"add, rms_norm_quant_token", "rms_norm_quant_group", "vllm.add_rms_norm_dynamic_per_token_quant", "rms_norm_quant_token",
       kElements * 7 + kRows * 4},
      {"rms_norm_quant_static", "rms_norm_quant_static", "vllm.rms_norm_static_fp8_quant@2026-06-18", "rms_norm_quant_static",
       kElements * 3},
      {"add, rms_norm_quant_static", "rms_norm_quant_static", "vllm.fused_add_rms_norm_static_fp8_quant@2026-06-18",
       "rms_norm_quant_static", kElements * 7},
  };
  for (const Op& op : head_ops()) ops.push_back(op);
  for (const Op& op : ops) {
    std::vector<CallBuilder> calls;
    calls.reserve(kBuffers);
    for (int b = 0; b < kBuffers; ++b) calls.push_back(any_call_of(op, buffers, places, b));
    const double seconds = median_seconds(stream, [&](int b) {
      CallBuilder& call = calls[size_t(b)];
      if (call.run(library, op.op, op.contract, op.kernel, stream) == ASSAY_OK) return;
      std::fprintf(stderr, "%s: %s\n", op.title, call.message());
      std::exit(1);
    });
    if (library.synchronise(stream) != ASSAY_OK) check(cudaGetLastError(), op.title), std::exit(3);
    std::printf("%-40s %9.1f %9.1f %9.0f %8.2f\n", op.title, seconds * 1e6, double(op.bytes) * 1e-6,
                double(op.bytes) / seconds * 1e-9, copy_rate * seconds / double(op.bytes));
  }
  return 0;
}
