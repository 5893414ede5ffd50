// SGLang's custom all-reduce before 0.5.16: the kernels that write to the memory of peers.
#include <distributed/custom_all_reduce_push.cuh>

#include "sglang_first.h"

namespace assay::ranks {
namespace {

void push(const Call& call, const Ranks& ranks, int first, int count) {
  reduce_in_place(call, ranks, first, count,
                  [](auto of, auto size, const CustomAllReduceRef& object, const tvm::ffi::Tensor& tensor) {
                    return custom_all_reduce<typename decltype(of)::type, size(), true>(object, tensor, 1);
                  });
}

}  // namespace

std::vector<Kernel> push_kernels() { return {sglang_kernel("one_shot_push", "sglang.all_reduce_v2_push", push)}; }

}  // namespace assay::ranks
