// The kernels of gather_cache, as describe() lists them.
#include "kernels/ops/call.h"
#include "kernels/ops/gather_cache/gather_cache_kernel.h"

namespace assay_kernels {
namespace {

void gather_by_contract(const Call& call) {
  GatherList::with(call.contract(), [&](auto rules) { run_gather_cache<decltype(rules)>(call); });
}

Kernel of_contracts(const char* name, const std::vector<std::string>& contracts, const Accepts& accepts) {
  return {name, "gather_cache", contracts, accepts, {}, gather_by_contract};
}
/// `y`: supported formats of the result.
Accepts numbers(const Values& y) { return {{"y", y}, {"warp", simt::kWarpSizes}}; }

}  // namespace

std::vector<Kernel> gather_cache_kernels() {
  return {of_contracts("gather_cache.dequantize",
                       {VllmGatherMlaFp8::kContract, VllmGatherMlaFp8V0120::kContract, VllmGatherMlaFp8Fnuz::kContract,
                        VllmGatherMlaE5m2::kContract, VllmConvertFp8::kContract},
                       numbers(kAny)),
          of_contracts("gather_cache.copy", {VllmGatherCache::kContract, VllmCpGatherCache::kContract}, numbers(kHalf)),
          of_contracts("gather_cache.upconvert", {VllmGatherDsMla::kContract, VllmGatherDsMlaFnuz::kContract}, numbers({"bf16"})),
          of_contracts("gather_cache.parts", {VllmGatherIndexerK::kContract, VllmGatherIndexerKV0200::kContract},
                       {{"warp", simt::kWarpSizes}})};
}

}  // namespace assay_kernels
