#include "kernels/ops/catalogue.h"
#include "kernels/ops/concat_and_cache_mla/given.h"
#include "kernels/ops/concat_and_cache_mla/tiles.h"

namespace assay_kernels {
namespace {

Kernel mla_cache_row(const char* name, const char* contract, void (*run)(const Call&)) {
  return {name, "concat_and_cache_mla", {contract}, {{"x", kHalf}, {"warp", simt::kWarpSizes}}, {}, run};
}

}  // namespace

std::vector<Kernel> concat_and_cache_mla_kernels() {
  return {
      mla_cache_row("concat_and_cache_mla", VllmFp8DsMla::kContract, run_concat_and_cache_tiles<VllmFp8DsMla>),
      mla_cache_row("concat_and_cache_mla", VllmFp8DsMlaFnuz::kContract, run_concat_and_cache_tiles<VllmFp8DsMlaFnuz>),
      mla_cache_row("concat_and_cache_mla", VllmFp8DsMlaV0310::kContract, run_concat_and_cache_tiles<VllmFp8DsMlaV0310>),
      mla_cache_row("concat_and_cache_mla", VllmFp8DsMlaFnuzV0310::kContract, run_concat_and_cache_tiles<VllmFp8DsMlaFnuzV0310>),
      mla_cache_row("concat_and_cache_mla.given", VllmMlaFp8::kContract, run_concat_and_cache_given<VllmMlaFp8>)};
}

}  // namespace assay_kernels
