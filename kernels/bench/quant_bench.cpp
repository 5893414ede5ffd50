// Speed of quantizations whose calls differ from those of ops_bench.cpp: MXFP8 with its tiles, rows of experts, packing of
// scales, SiLU-and-mul. Bytes are those that the op must move.
#include <benchmark/benchmark.h>

#include "kernels/testing/library.h"

namespace {

using namespace assay_kernels;

constexpr int64_t kRows = 512, kColumns = 7168, kBlocks = kColumns / 32, kGroups = kColumns / 128, kScaleRows = 8192;

const assay_library& library() {
  static const assay_library& opened = open_library(ASSAY_CPU_LIBRARY);
  return opened;
}

/// Finite bf16 numbers of both signs; a gate and an up for SiLU.
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
