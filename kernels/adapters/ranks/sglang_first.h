// SGLang's custom all-reduce before 0.5.16. Each rank has an object that owns memory and opens the memory of its peers by IPC.
// Here all ranks share one process, so an IPC handle is an address (ipc.cpp).
#pragma once

#include <sgl_kernel/distributed/custom_all_reduce.cuh>

#include "sglang_tensor.h"

namespace assay::ranks {

using host::distributed::CustomAllReduceRef;

/// Returns SGLang's objects of a group, one per rank, each on the device of the rank's area. New areas get new objects.
const std::vector<CustomAllReduceRef>& communicators_of(const Ranks& ranks, int first);
/// SGLang's objects own their memory, so the area's memory is unused; its size and address tell when new objects are needed.
plugin::AreaRequest size_alone(const Call& call);

/// SGLang works in place, so y is initialized with x.
template <class F>
void reduce_in_place(const Call& call, const Ranks& ranks, int first, int count, F reduce) {
  const int64_t bytes = bytes_of(call.at("x"));
  const std::vector<CustomAllReduceRef>& of_rank = communicators_of(ranks, first);
  cuda::with_type<__nv_bfloat16, __half, float>(call.at("x"), [&](auto of) {
    using T = typename decltype(of)::type;
    together(call, first, count, [&](int rank, cudaStream_t stream) {
      use_stream(stream);
      T* const y = out<T>(ranks, rank, "y");
      good(cudaMemcpyAsync(y, in<T>(ranks, rank, "x"), size_t(bytes), cudaMemcpyDeviceToDevice, stream));
      const tvm::ffi::Tensor tensor = tensor_at(y, kTypeOf<T>, {bytes / int64_t(sizeof(T))});
      const auto with = [&](auto size) { (void)reduce(of, size, of_rank[size_t(rank)], tensor); };
      switch (ranks.size) {
        case 2:
          return with(std::integral_constant<uint32_t, 2>());
        case 4:
          return with(std::integral_constant<uint32_t, 4>());
        case 6:
          return with(std::integral_constant<uint32_t, 6>());
        case 8:
          return with(std::integral_constant<uint32_t, 8>());
        default:
          unsupported("this adapter has kernels only for 2, 4, 6 or 8 ranks");
      }
    });
  });
}

/// Row of the kernel table for an all-reduce kernel.
inline Kernel sglang_kernel(const char* name, const char* contract, decltype(Kernel::run_ranks) run) {
  Kernel row{name, "all_reduce", {contract}, {{"ranks", {2, 4, 6, 8}}}, {}, nullptr};
  row.area = size_alone;
  row.run_ranks = run;
  return row;
}

std::vector<Kernel> pull_kernels();
std::vector<Kernel> push_kernels();

}  // namespace assay::ranks
