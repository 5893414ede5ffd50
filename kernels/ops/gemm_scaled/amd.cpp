#include "kernels/ops/gemm_scaled/amd_rules.h"
#include "kernels/ops/gemm_scaled/offers.h"

namespace assay_kernels {
namespace {

using Plain =
    GemmList<units::OfAmd, AiterGemmA8w8Fnuz, AiterGemmA8w8Int8, AiterGemmA8w8Int8Gfx950, AiterBpreshuffle, UnknownRowGfx942>;
using Split = GemmList<units::OfAmd, AiterSplitK, AiterBpreshuffleSplitK>;

/// On the CPU a candidate of gfx950's unit, on the chip that unit.
template <class U>
std::vector<Kernel> gemm_of_gfx950(const std::string& name) {
  using Plain = GemmList<units::UnknownOfAmd, AiterGemmA8w8Gfx950<U>, AiterBpreshuffleGfx950<U>, UnknownRowGfx950<U>>;
  using Split = GemmList<units::UnknownOfAmd, AiterSplitKGfx950<U>, AiterBpreshuffleSplitKGfx950<U>>;
  return assay::plugin::joined(
      {gemm_rows<Plain>("gemm_scaled.amd." + name), gemm_rows<Split, 2>("gemm_scaled.two_results." + name)});
}

}  // namespace

std::vector<Kernel> gemm_scaled_of_amd() {
  return assay::plugin::joined({gemm_rows<Plain>("gemm_scaled.amd"), gemm_rows<Split, 2>("gemm_scaled.two_results"),
                                gemm_rows<Split, 4>("gemm_scaled.four_results"),
                                gemm_of_gfx950<units::Gfx950MfmaE4m3F32>("gfx950"),
                                gemm_of_gfx950<units::Gfx950MfmaE4m3AsGfx942>("as_gfx942"),
                                gemm_of_gfx950<units::Gfx950MfmaE4m3OneRounding>("one_rounding"),
                                gemm_of_gfx950<units::Gfx950MfmaE4m3EachProduct>("each_product")});
}

}  // namespace assay_kernels
