// Speed of the CPU kernels through the C ABI. Goals, in elements per second on one core: 40e6 for group quantization, 100e6 for
// rms_norm with 7168 columns.
// On one core: taskset -c 0 assay_kernels_bench
#include <benchmark/benchmark.h>
#include <cstdio>
#include <cstdlib>

#include "kernels/testing/library.h"


namespace {

using namespace assay_kernels;

constexpr int64_t kRows = 512, kColumns = 7168, kGroup = 128;
constexpr int64_t kBlocks = kColumns / 32, kGroups = kColumns / 128, kScaleRows = 8192;

struct Data {
  std::vector<uint16_t> x = std::vector<uint16_t>(size_t(kRows * kColumns)), y = x;
  std::vector<uint16_t> gamma = std::vector<uint16_t>(size_t(kColumns), 0x3f80);
  std::vector<uint8_t> q = std::vector<uint8_t>(x.size());
  std::vector<float> scale = std::vector<float>(x.size() / kGroup);
  std::vector<int32_t> zero = std::vector<int32_t>(size_t(kRows));
  Data() {
    uint32_t state = 1;
    for (auto& e : x) e = uint16_t((state = state * 1664525u + 1013904223u) >> 16 & 0xbfff);  // finite bf16 values of both signs
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

#undef ASSAY_BENCH

// Quantizations whose calls need more tensors: MXFP8 with tiled scales, experts, scale packing, SiLU-and-mul. The byte counts are
// the numbers of bytes that an op must move.

const assay_library& library() {
  static const assay_library& opened = open_library(ASSAY_CPU_LIBRARY);
  return opened;
}

/// Finite bf16 values of both signs. SiLU-and-mul reads them as gate and up halves.
const std::vector<uint16_t>& activations() {
  static const std::vector<uint16_t> x = [] {
    std::vector<uint16_t> all(size_t(kRows * kColumns * 2));
    uint32_t state = 1;
    for (auto& e : all) e = uint16_t((state = state * 1664525u + 1013904223u) >> 16 & 0xbfff);
    return all;
  }();
  return x;
}

void measure(benchmark::State& state, CallBuilder& call, const char* op, const char* contract, const char* kernel,
             int64_t elements, int64_t bytes) {
  call.parameter("warp", double(state.range(0)));
  for (auto _ : state)
    if (call.run(library(), op, contract, kernel) != ASSAY_OK) return state.SkipWithError(call.message());
  state.SetItemsProcessed(state.iterations() * elements);
  state.SetBytesProcessed(state.iterations() * bytes);
}

void mx(benchmark::State& state, const char* contract, int tile_rows, int tile_columns) {
  std::vector<uint8_t> q(size_t(kRows * kColumns)), scale(size_t(kRows * kBlocks));
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, activations().data()).matrix("q", kE4m3fn, true, kRows, kColumns, q.data());
  call.matrix("scale", kE8m0, true, kRows, kBlocks, scale.data()).parameter("group_size", 32);
  if (tile_rows > 1) call.parameter("scale_tile_rows", tile_rows).parameter("scale_tile_columns", tile_columns);
  measure(state, call, "quant_group", contract, "quant_mx", kRows * kColumns, kRows * (kColumns * 3 + kBlocks));
}

void experts(benchmark::State& state, const char* contract, int32_t batches) {
  const int32_t rows = int32_t(kRows) / batches, tile_rows = (rows + 127) / 128 * 128;
  std::vector<int32_t> first_row, first_scale;
  for (int32_t b = 0; b <= batches; ++b) first_row.push_back(b * rows), first_scale.push_back(b * tile_rows);
  std::vector<uint8_t> q(size_t(kRows * kColumns)), scale(size_t(first_scale.back() * kBlocks));
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, kColumns, activations().data()).matrix("q", kE4m3fn, true, kRows, kColumns, q.data());
  call.tensor("expert_offsets", kInt32, false, {batches + 1}, {1}, first_row.data(), first_row.size() * 4);
  call.tensor("blockscale_offsets", kInt32, false, {batches + 1}, {1}, first_scale.data(), first_scale.size() * 4);
  call.matrix("scale", kE8m0, true, first_scale.back(), kBlocks, scale.data()).parameter("group_size", 32);
  call.parameter("scale_tile_rows", 128).parameter("scale_tile_columns", 4);
  measure(state, call, "quant_experts", contract, "quant_mx_experts", kRows * kColumns,
          kRows * kColumns * 3 + first_scale.back() * kBlocks);
}

void pack(benchmark::State& state, const char* contract, bool row_major) {
  const std::vector<float> x(size_t(kScaleRows * kGroups), 1.0f);
  std::vector<uint32_t> words(x.size() / 4);
  const std::vector<int32_t> ends = {1000, 5000, 8192};
  CallBuilder call;
  call.tensor("x", kF32, false, {kScaleRows, kGroups},
              row_major ? std::vector<int64_t>{kGroups, 1} : std::vector<int64_t>{1, kScaleRows}, x.data(), x.size() * 4);
  call.tensor("psum_layout", kInt32, false, {3}, {1}, ends.data(), ends.size() * 4).parameter("m_alignment", 128);
  call.tensor("scale", kInt32, true, {kScaleRows, kGroups / 4}, {1, kScaleRows}, words.data(), words.size() * 4);
  measure(state, call, "pack_scales", contract, "pack_scales", kScaleRows * kGroups, kScaleRows * kGroups * 5);
}

void silu(benchmark::State& state, const char* contract) {
  std::vector<uint8_t> q(size_t(kRows * kColumns));
  std::vector<float> scale(size_t(kRows * kGroups));
  CallBuilder call;
  call.matrix("x", kBf16, false, kRows, 2 * kColumns, activations().data()).matrix("q", kE4m3fn, true, kRows, kColumns, q.data());
  call.matrix("scale", kF32, true, kRows, kGroups, scale.data()).parameter("group_size", 128);
  measure(state, call, "silu_mul_quant_group", contract, "silu_mul_quant_group", kRows * kColumns,
          kRows * (kColumns * 5 + kGroups * 4));
}

#define ASSAY_BENCH(function, name, ...) \
  BENCHMARK_CAPTURE(function, name, __VA_ARGS__)->Arg(32)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond)
ASSAY_BENCH(mx, row_major, "torchao.mx_rceil", 1, 1);
ASSAY_BENCH(mx, tiles_128x4, "flashinfer.mxfp8", 128, 4);
ASSAY_BENCH(mx, tiles_n32k4, "aiter.triton_mxfp8_n32k4", 32, 4);
ASSAY_BENCH(experts, four_batches, "torchao.mx_rceil", 4);
ASSAY_BENCH(experts, eight_batches_of_half_a_tile, "flashinfer.mxfp8", 8);
ASSAY_BENCH(pack, row_major, "deepgemm.pack_ue8m0@2.6", true);
ASSAY_BENCH(pack, mn_major, "deepgemm.pack_ue8m0@2.6", false);
ASSAY_BENCH(pack, groups_with_gaps, "deepgemm.pack_ue8m0_psum@2.6", true);
ASSAY_BENCH(silu, group, "vllm.fused_silu_mul_group");

}  // namespace

BENCHMARK_MAIN();
