// libassay_vllm.so: the CUDA kernels of one release of vLLM behind the C ABI, with vLLM's own host functions and launches.
#include "assay/torch_stable.hpp"
#include "calls.h"

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) {
  using namespace assay::vllm;
  return assay::cuda::library(ASSAY_VLLM_NAME,
                              assay::plugin::joined<assay::cuda::Call>(
                                  {quant_kernels(), norm_kernels(), activation_kernels(), cache_kernels(), rope_kernels()}),
                              ASSAY_UNSUPPORTED);
}
