// libassay_sglang_ranks.so for releases before 0.5.16: the kernels that read peers' memory, and the library table.
#include <distributed/custom_all_reduce_pull.cuh>
#include <map>

#include "sglang_first.h"

namespace assay::ranks {
namespace {

template <int kShots>
void pull(const Call& call, const Ranks& ranks, int first, int count) {
  reduce_in_place(call, ranks, first, count,
                  [](auto of, auto size, const CustomAllReduceRef& object, const tvm::ffi::Tensor& tensor) {
                    return custom_all_reduce<typename decltype(of)::type, size(), true>(object, tensor, kShots);
                  });
}

}  // namespace

plugin::AreaRequest size_alone(const Call& call) {
  plugin::AreaRequest request;
  request.bytes = plugin::kAreaHead + size_t(bytes_of(call.at("x")));
  return request;
}

namespace {
/// While an object lives, the device that owns `memory` is the current device.
class OnDeviceOf {
 public:
  explicit OnDeviceOf(const void* memory) {
    cudaPointerAttributes found{};
    good(cudaPointerGetAttributes(&found, memory));
    good(cudaGetDevice(&before_));
    good(cudaSetDevice(found.device));
  }
  OnDeviceOf(const OnDeviceOf&) = delete;
  OnDeviceOf& operator=(const OnDeviceOf&) = delete;
  ~OnDeviceOf() { (void)cudaSetDevice(before_); }

 private:
  int before_ = 0;
};
}  // namespace

const std::vector<CustomAllReduceRef>& communicators_of(const Ranks& ranks, int first) {
  // objects of a destroyed group stay until a new area gets the same address
  static std::map<const void*, std::vector<CustomAllReduceRef>> all;
  std::vector<CustomAllReduceRef>& of_rank = all[ranks.areas[0]];
  if (ranks.earlier_calls > 0 || first > 0) return of_rank;  // the first device creates the objects of all devices
  for (const CustomAllReduceRef& old : of_rank) old->free_storage();
  of_rank.clear();
  const auto blocks = uint32_t(blocks_for(32, ranks.size));
  const auto bytes = int64_t(ranks.area_bytes - plugin::kAreaHead + 127) / 128 * 128;
  tvm::ffi::Array<host::distributed::ExternHandle> handles;
  for (int rank = 0; rank < ranks.size; ++rank) {
    const OnDeviceOf device(ranks.areas[rank]);
    of_rank.push_back(tvm::ffi::details::ObjectUnsafe::ObjectRefFromObjectPtr<CustomAllReduceRef>(
        tvm::ffi::make_object<host::distributed::CustomAllReduceBase>(uint32_t(rank), uint32_t(ranks.size), blocks, blocks, bytes,
                                                                      bytes, int64_t{1})));
    handles.push_back(of_rank.back()->share_storage());
  }
  for (int rank = 0; rank < ranks.size; ++rank) {
    const OnDeviceOf device(ranks.areas[rank]);
    of_rank[size_t(rank)]->post_init(handles);
    good(cudaDeviceSynchronize());  // clearing must end before any rank writes to another one
  }
  return of_rank;
}

std::vector<Kernel> pull_kernels() {
  return {sglang_kernel("one_shot_pull", "sglang.all_reduce_v2_pull", pull<1>),
          sglang_kernel("two_shot_pull", "sglang.all_reduce_v2_pull", pull<2>)};
}

}  // namespace assay::ranks

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay::ranks;
  static const assay_library library = [] {
    assay_library l =
        *assay::cuda::library(ASSAY_PACKAGE, assay::plugin::joined<Call>({pull_kernels(), push_kernels()}), ASSAY_UNSUPPORTED);
    l.join_group = nullptr;  // this library has no memory that other processes could open
    return l;
  }();
  return &library;
}
