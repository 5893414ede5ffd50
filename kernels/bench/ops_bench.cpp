// Speed of the kernels on the CPU, through the C ABI. Aims (elements per second and core): 40e6 for group quantization, 100e6 for
// rms_norm at 7168 columns. One core: taskset -c 0 assay_kernels_bench
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

#include "kernels/testing/library.h"

namespace {

using namespace assay_kernels;

constexpr int64_t kRows = 512, kColumns = 7168, kGroup = 128;

struct Data {
  std::vector<uint16_t> x = std::vector<uint16_t>(size_t(kRows * kColumns)), y = x;
  std::vector<uint16_t> gamma = std::vector<uint16_t>(size_t(kColumns), 0x3f80);
  std::vector<uint8_t> q = std::vector<uint8_t>(x.size());
  std::vector<float> scale = std::vector<float>(x.size() / kGroup);
  std::vector<int32_t> zero = std::vector<int32_t>(size_t(kRows));
  Data() {
    uint32_t state = 1;
    for (auto& e : x) e = uint16_t((state = state * 1664525u + 1013904223u) >> 16 & 0xbfff);  // finite, both signs
  }
};

void run(benchmark::State& state, const char* op, const char* contract, const char* kernel) {
  static const assay_library& library = open_library(ASSAY_CPU_LIBRARY);
  static Data data;
  const bool norm = std::string(op).find("norm") != std::string::npos, quant = std::string(op) != "rms_norm";
  const bool packed = std::string(contract).find("packed") != std::string::npos,
             token = std::string(contract).find(".per_token") != std::string::npos,
             int8 = std::string(contract).find("int8") != std::string::npos;
  const bool tile = std::string(op) == "quant_tile" || std::string(op) == "quant_static";
  const bool one = tile && std::string(contract).find("tensor") != std::string::npos;
  const int64_t groups = token || one ? 1 : kColumns / kGroup;
  const int64_t rows = one ? 1 : std::string(contract).find("block") != std::string::npos ? kRows / kGroup : kRows;
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, data.x.data());
  if (norm) call.tensor("gamma", kBf16, false, {kColumns}, {1}, data.gamma.data(), size_t(kColumns) * 2).parameter("eps", 1e-6);
  if (!quant) call.matrix("y", kBf16, true, kRows, kColumns, data.y.data());
  if (quant)
    call.matrix("q", int8 ? kInt8 : kE4m3fn, true, kRows, kColumns, data.q.data()).parameter("group_size", double(kGroup));
  if (quant && packed)
    call.tensor("scale", kInt32, true, {kRows, groups / 4}, {1, kRows}, data.scale.data(), data.scale.size() * 4);
  if (quant && !packed) call.matrix("scale", kF32, std::string(op) != "quant_static", rows, groups, data.scale.data());
  if (std::string(op) == "quant_azp") call.matrix("azp", kInt32, true, kRows, 1, data.zero.data());
  call.parameter("warp", double(state.range(0)));
  for (auto _ : state)
    if (call.run(library, op, contract, kernel) != ASSAY_OK) return state.SkipWithError(call.message());
  state.SetItemsProcessed(state.iterations() * kRows * kColumns);
}

#define ASSAY_BENCH(name, ...) \
  BENCHMARK_CAPTURE(run, name, __VA_ARGS__)->Arg(32)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond)
ASSAY_BENCH(register_fp32_scales, "quant_group", "vllm.group_fp8", "quant_group.register");
ASSAY_BENCH(register_packed, "quant_group", "vllm.group_fp8_packed", "quant_group.register");
ASSAY_BENCH(shared_fp32_scales, "quant_group", "vllm.group_fp8", "quant_group.shared");
ASSAY_BENCH(shared_packed, "quant_group", "vllm.group_fp8_packed", "quant_group.shared");
ASSAY_BENCH(token, "quant_group", "vllm.per_token", "quant_token");
ASSAY_BENCH(register_int8, "quant_group", "vllm.group_int8", "quant_group.register");
ASSAY_BENCH(token_int8, "quant_group", "vllm.per_token_int8", "quant_token");
ASSAY_BENCH(token_azp, "quant_azp", "vllm.per_token_int8_azp", "quant_token_azp");
ASSAY_BENCH(tensor, "quant_tile", "vllm.per_tensor", "quant_tensor");
ASSAY_BENCH(block, "quant_tile", "deepgemm.per_block_cast", "quant_block");
ASSAY_BENCH(static_groups, "quant_static", "vllm.static_group", "quant_static.groups");
ASSAY_BENCH(rms_norm, "rms_norm", "vllm.rms_norm@2026-06-18", "rms_norm");
ASSAY_BENCH(rms_norm_quant_group, "rms_norm_quant_group", "assay.rms_norm_group_packed", "rms_norm_quant_group");

}  // namespace

BENCHMARK_MAIN();
