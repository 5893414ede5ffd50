// Time of each op on the GPU beside the bytes that it must move, and beside a copy of the device measured in the same run.
// Everything goes through the C ABI. Buffers rotate, so that no input is found in the L2 cache. Usage: assay_cuda_bandwidth
// [library]
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "kernels/testing/library.h"

namespace {

using namespace assay_kernels;

constexpr int64_t kRows = 8192, kColumns = 7168, kGroup = 128;
constexpr int64_t kElements = kRows * kColumns, kGroups = kElements / kGroup;
constexpr int kBuffers = 4;  ///< of 117 MB each: together well above any L2
constexpr int kRuns = 101, kWarmUp = 10;

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::exit(error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver ? 77 : 3);
}

void* device_memory(size_t bytes) {
  void* data = nullptr;
  check(cudaMalloc(&data, bytes), "cudaMalloc");
  return data;
}

/// Seconds of one call: the median over kRuns, each between two events.
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

struct Buffers {
  void *x[kBuffers], *y[kBuffers], *q[kBuffers], *scale[kBuffers], *zero[kBuffers], *gamma;
  void *given_scale, *given_zero;
  Buffers() {
    std::vector<uint16_t> x_host(kElements), gamma_host(kColumns, 0x3f80);
    uint32_t state = 1;
    for (auto& e : x_host) e = uint16_t((state = state * 1664525u + 1013904223u) >> 16 & 0xbfff);  // finite bf16, both signs
    gamma = device_memory(kColumns * 2);
    check(cudaMemcpy(gamma, gamma_host.data(), kColumns * 2, cudaMemcpyHostToDevice), "upload");
    const float scale_host = 0.037f;
    const int32_t zero_host = 3;
    given_scale = device_memory(4), given_zero = device_memory(4);
    check(cudaMemcpy(given_scale, &scale_host, 4, cudaMemcpyHostToDevice), "upload");
    check(cudaMemcpy(given_zero, &zero_host, 4, cudaMemcpyHostToDevice), "upload");
    for (int b = 0; b < kBuffers; ++b) {
      x[b] = device_memory(kElements * 2);
      y[b] = device_memory(kElements * 2);
      q[b] = device_memory(kElements);
      scale[b] = device_memory(kGroups * 4);
      zero[b] = device_memory(kRows * 4);
      check(cudaMemcpy(x[b], x_host.data(), kElements * 2, cudaMemcpyHostToDevice), "upload");
    }
  }
};

struct Op {
  const char *title, *op, *contract, *kernel;
  int64_t bytes;  ///< that must cross the memory bus: every input once, every output once, and x twice for one scale of all
  int64_t scale_rows = 0, scale_columns = 0;  ///< of ops whose scales are neither a token's nor those of groups of 128
  bool mn_major = false;                      ///< scales that are packed
};

/// x as fp32 scales, as many as its bytes hold.
constexpr int64_t kScales = kElements / 2, kScaleColumns = kColumns / 2;

CallBuilder packing_of(const Op& op, const Buffers& buffers, int b) {
  const bool words = std::string(op.contract).find("ue8m0") != std::string::npos;
  CallBuilder call;
  call.tensor("x", kF32, false, {kRows, kScaleColumns},
              op.mn_major ? std::vector<int64_t>{1, kRows} : std::vector<int64_t>{kScaleColumns, 1}, buffers.x[b],
              size_t(kScales) * 4);
  const int64_t columns = words ? kScaleColumns / 4 : kScaleColumns;
  call.tensor("scale", words ? kInt32 : kF32, true, {kRows, columns}, {1, kRows}, buffers.y[b], size_t(kRows * columns) * 4);
  return call;
}

CallBuilder call_of(const Op& op, const Buffers& buffers, int b) {
  const std::string name = op.op, contract = op.contract;
  if (name == "pack_scales") return packing_of(op, buffers, b);
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, buffers.x[b]);
  if (name == "cast") {
    call.matrix("q", kE4m3fn, true, kRows, kColumns, buffers.q[b]);
    return call;
  }
  if (op.scale_rows > 0) {
    call.matrix("q", kE4m3fn, true, kRows, kColumns, buffers.q[b]);
    call.matrix("scale", kF32, name == "quant_tile", op.scale_rows, op.scale_columns, buffers.scale[b]);
    return call;
  }
  const auto is = [&](const char* word) { return contract.find(word) != std::string::npos; };
  const Type code = is("int8") ? kInt8 : kE4m3fn;
  if (name == "quant_static") {
    call.matrix("scale", kF32, false, 1, 1, buffers.given_scale).matrix("q", code, true, kRows, kColumns, buffers.q[b]);
    if (is("azp")) call.matrix("azp", kInt32, false, 1, 1, buffers.given_zero);
    return call;
  }
  if (name == "quant_azp") call.matrix("azp", kInt32, true, kRows, 1, buffers.zero[b]);
  if (name.find("norm") != std::string::npos)
    call.tensor("gamma", kBf16, false, {kColumns}, {1}, buffers.gamma, kColumns * 2).parameter("eps", 1e-6);
  if (name == "rms_norm") {
    call.matrix("y", kBf16, true, kRows, kColumns, buffers.y[b]);
    return call;
  }
  call.matrix("q", code, true, kRows, kColumns, buffers.q[b]).parameter("group_size", double(kGroup));
  const int64_t groups = is(".per_token") ? 1 : kColumns / kGroup;
  if (!is("packed")) {
    call.matrix("scale", kF32, true, kRows, groups, buffers.scale[b]);
  } else {
    call.tensor("scale", kInt32, true, {kRows, groups / 4}, {1, kRows}, buffers.scale[b], size_t(kGroups));
  }
  return call;
}

}  // namespace

int main(int argc, char** argv) {
  const assay_library& library = open_library(argc > 1 ? argv[1] : ASSAY_CUDA_LIBRARY);
  int index = 0, driver = 0;
  cudaDeviceProp properties{};
  check(cudaGetDevice(&index), "cudaGetDevice");
  check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  cudaStream_t stream;
  check(cudaStreamCreate(&stream), "cudaStreamCreate");
  const Buffers buffers;

  const double copy_seconds = median_seconds(stream, [&](int b) {
    check(cudaMemcpyAsync(buffers.y[b], buffers.x[b], kElements * 2, cudaMemcpyDeviceToDevice, stream), "copy");
  });
  const double copy_rate = double(kElements) * 4 / copy_seconds;
  std::printf("%s, sm_%d%d, driver %d, %lld x %lld bf16, median of %d\n", properties.name, properties.major, properties.minor,
              driver, static_cast<long long>(kRows), static_cast<long long>(kColumns), kRuns);
  std::printf("%-40s %9s %9s %9s %8s\n", "", "us", "MB", "GB/s", "x copy");
  std::printf("%-40s %9.1f %9.1f %9.0f %8s\n", "device copy", copy_seconds * 1e6, kElements * 4e-6, copy_rate * 1e-9, "");

  const std::vector<Op> ops = {
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
      {"rms_norm", "rms_norm", "vllm.rms_norm@2026-06-18", "rms_norm", kElements * 4 + kColumns * 2},
      {"rms_norm_quant_group, packed", "rms_norm_quant_group", "assay.rms_norm_group_packed", "rms_norm_quant_group",
       kElements * 3 + kGroups + kColumns * 2},
  };
  for (const Op& op : ops) {
    std::vector<CallBuilder> calls;
    calls.reserve(kBuffers);
    for (int b = 0; b < kBuffers; ++b) calls.push_back(call_of(op, buffers, b));
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
