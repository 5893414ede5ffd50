// libassay_vllm_ranks.so: vLLM's custom all-reduce of one release as a plug-in. csrc/custom_all_reduce.cuh and its class are
// unchanged. Pointers that vLLM opens by IPC are ordinary pointers of this process.
#include <cstdlib>
#include <custom_all_reduce.cuh>
#include <memory>

#include "vllm.h"

namespace assay::ranks {
namespace {

/// Layout of an area: vLLM's signals, the intermediate results of the two-stage kernel, and at the end the pointers of a call.
constexpr size_t kPointers = sizeof(vllm::RankData);

/// Sets the start value of the blocks' barrier counters. The flags need no start value, because barriers write the counters into them.
void begin_at(unsigned char* area, uint32_t counter) {
  auto* const signal = reinterpret_cast<vllm::Signal*>(area);
  for (vllm::FlagType& flag : signal->_flag) flag = counter;
}

}  // namespace

plugin::AreaRequest signals_and_parts(const Call& call) {
  plugin::AreaRequest request;
  request.bytes = sizeof(vllm::Signal) + size_t(bytes_of(call.at("x"))) + 2 * kPointers;
  request.counter = uint32_t(call.number("counter", 0));
  if (request.counter > 0) request.begin_at = begin_at;
  return request;
}

namespace {

template <class T>
void reduce(const Call& call, const Ranks& ranks, int first, int count, const Result& result) {
  vllm::Signal* signals[plugin::kMostRanks];
  void* inputs[plugin::kMostRanks];
  for (int rank = 0; rank < ranks.size; ++rank) {
    signals[rank] = static_cast<vllm::Signal*>(ranks.areas[rank]);
    inputs[rank] = in<T>(ranks, rank, "x");
  }
  const int elements = int(bytes_of(call.at("x")) / int64_t(sizeof(T)));
  std::vector<std::unique_ptr<vllm::CustomAllreduce>> of_rank;
  for (int rank = first; rank < first + count; ++rank) {
    char* const pointers = static_cast<char*>(ranks.areas[rank]) + ranks.area_bytes - kPointers;
    of_rank.push_back(std::make_unique<vllm::CustomAllreduce>(signals, pointers, kPointers, rank, ranks.size));
    of_rank.back()->register_buffer(inputs);
  }
  together(call, first, count, [&](int rank, cudaStream_t stream) {
    of_rank[size_t(rank - first)]->allreduce<T>(stream, static_cast<T*>(inputs[rank]), static_cast<T*>(result(rank)), elements,
                                                512, blocks_for(vllm::defaultBlockLimit, count));
    good(cudaGetLastError());
  });
}

/// Selects vLLM's kernel by vLLM's environment variable, which overrides vLLM's choice by message size.
void reduce_by(const char* algorithm, const Call& call, const Ranks& ranks, int first, int count, const Result& result) {
  expect_no_capture(call);
  good(cudaStreamSynchronize(call.stream()));  // the previous call's kernel may still read the peers' addresses
  (void)setenv("VLLM_CUSTOM_ALLREDUCE_ALGO", algorithm, 1);
  cuda::with_type<__nv_bfloat16, __half, float>(
      call.at("x"), [&](auto of) { reduce<typename decltype(of)::type>(call, ranks, first, count, result); });
}
void into_y(const char* algorithm, const Call& call, const Ranks& ranks, int first, int count) {
  const assay_tensor& x = call.at("x");
  reduce_by(algorithm, call, ranks, first, count, [&](int rank) {
    const assay_tensor& y = Call(*ranks.calls[rank]).at("y");
    if (!plugin::has_type(y, x.type_code, x.type_bits) || bytes_of(y) != bytes_of(x))
      plugin::failed("y must have the type and size of x");
    return y.data;
  });
}
void one_stage(const Call& call, const Ranks& ranks, int first, int count) { into_y("1stage", call, ranks, first, count); }
void two_stages(const Call& call, const Ranks& ranks, int first, int count) { into_y("2stage", call, ranks, first, count); }

Kernel kernel(const char* name, const char* contract, plugin::Values ranks, decltype(Kernel::run_ranks) run) {
  Kernel row{name, "all_reduce", {contract}, {{"ranks", std::move(ranks)}}, {}, nullptr};
  row.area = signals_and_parts;
  row.run_ranks = run;
  return row;
}

}  // namespace

void reduce_in_one_stage(const Call& call, const Ranks& ranks, int first, int count, const Result& result) {
  reduce_by("1stage", call, ranks, first, count, result);
}
void* parts_of(const Ranks& ranks, int rank) { return static_cast<vllm::Signal*>(ranks.areas[rank]) + 1; }

std::vector<Kernel> custom_all_reduce_kernels() {
  return {kernel("cross_device_reduce_1stage", "vllm.all_reduce_1stage", {2, 4, 6, 8}, one_stage),
          kernel("cross_device_reduce_2stage", "vllm.all_reduce_2stage", {4, 6, 8}, two_stages)};
}
#ifndef ASSAY_VLLM_MINIMAX
std::vector<Kernel> minimax_kernels() { return {}; }
#endif
#ifndef ASSAY_VLLM_NORMS
std::vector<Kernel> norms_behind_sums() { return {}; }
#endif

}  // namespace assay::ranks

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay::ranks;
  return assay::cuda::library(ASSAY_PACKAGE,
                              assay::plugin::joined<Call>({custom_all_reduce_kernels(), minimax_kernels(), norms_behind_sums()}),
                              ASSAY_UNSUPPORTED);
}
