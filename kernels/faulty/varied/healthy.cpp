// Healthy kernels that take the freedom which their contracts leave.
#include "kernels/faulty/offers/group.h"
#include "kernels/faulty/offers/norm.h"
#include "kernels/faulty/varied/here.h"
#include "kernels/ops/quant_group/others.h"
#include "kernels/ops/quant_group/vllm.h"

namespace assay_kernels {
namespace {

/// 0, Inf and NaN are exact.
float nudged(float v, int ulps) { return v > 0.0f && v < 1e38f ? simt::from_bits(simt::bits(v) + uint32_t(ulps)) : v; }

/// rsqrt may be off by 2 ulp.
template <class Base, int kUlps>
struct RsqrtOff : Base {
  static float factor(float mean, float eps) { return nudged(Base::factor(mean, eps), kUlps); }
};
/// Another tree of the same depth ends an ulp beside.
template <class Base>
struct SumOff : Base {
  static float mean(float sum, float n) { return Base::mean(nudged(sum, 1), n); }
};
/// A division that may be off by 2 ulp as a product with the reciprocal.
struct TritonByReciprocal : VllmGroupTriton {
  using Element = simt::Multiply;
  static float operand(float /*amax*/, float scale) { return 1.0f / scale; }
};
struct SglangOperandOff : SglangGroup8bit {
  static float operand(float amax, float scale) { return nudged(SglangGroup8bit::operand(amax, scale), 1); }
};

template <class Rules>
Kernel healthy_norm(const char* name) {
  Kernel kernel = of_norms<Rules>("", "");
  kernel.name = name;
  kernel.twin = "";
  return kernel;
}
template <class Rules>
Kernel healthy_group(const char* name) {
  Kernel kernel = in_registers<Rules>("", "");
  kernel.name = name;
  kernel.twin = "";
  return kernel;
}

using NewNorm = VllmRmsNorm20260618;
using OldNorm = VllmRmsNormV0191;

}  // namespace

std::vector<Kernel> healthy() {
  return {
      healthy_norm<RsqrtOff<NewNorm, 2>>("rsqrt_above"), healthy_norm<RsqrtOff<OldNorm, -1>>("rsqrt_below"),
      healthy_norm<SumOff<NewNorm>>("another_tree"),     healthy_group<TritonByReciprocal>("division_by_reciprocal"),
      healthy_group<SglangOperandOff>("operand_above"),
  };
}

}  // namespace assay_kernels
