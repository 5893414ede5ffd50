// The kernel table of cast, which describe() of the C ABI lists.
#include "kernels/ops/cast/cast_kernel.h"

#include "kernels/ops/call.h"

namespace assay_kernels {
namespace {

/// Runs the cast whose rules implement the contract of the call.
template <class Rules, class... Others>
void cast_by_contract(const Call& call) {
  if (call.contract() == Rules::kContract) return run_cast<Rules>(call);
  if constexpr (sizeof...(Others) > 0) return cast_by_contract<Others...>(call);
  unsupported("no kernel of op cast supports contract '" + call.contract() + "'");
}

template <class... Rules>
Kernel one_of() {
  return {"cast",
          "cast",
          {Rules::kContract...},
          {{"x", {"f32", "bf16", "f16"}}, {"warp", simt::kWarpSizes}},
          {},
          cast_by_contract<Rules...>};
}

}  // namespace

std::vector<Kernel> cast_kernels() {
  return {one_of<CudaE4m3fnSat, CudaE4m3fnNosat, TorchE4m3fn, E4m3fnuzSaturating, MlDtypesE4m3fnuz, CudaE5m2Sat, TorchE5m2,
                 MlDtypesE5m2fnuz, CudaE8m0Rz, CudaE8m0Rp, TorchE8m0, DeepgemmE8m0Ceil, PtxInt8>()};
}

}  // namespace assay_kernels
