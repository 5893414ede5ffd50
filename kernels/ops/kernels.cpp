// Every kernel of every op.
#include "kernels/ops/catalogue.h"

namespace assay_kernels {

std::vector<Kernel> all_kernels() {
  std::vector<Kernel> all;
  for (auto& part : {cast_kernels(),
                     concat_and_cache_mla_kernels(),
                     dsv4_kv_insert_kernels(),
                     dsv4_qnorm_kv_insert_kernels(),
                     fused_add_rms_norm_kernels(),
                     indexer_k_quant_and_cache_kernels(),
                     layer_norm_kernels(),
                     pack_scales_kernels(),
                     qk_norm_rope_kernels(),
                     quant_azp_kernels(),
                     quant_group_kernels(),
                     quant_mx_kernels(),
                     quant_static_kernels(),
                     quant_tile_kernels(),
                     rms_norm_kernels(),
                     rms_norm_quant_group_kernels(),
                     rms_norm_quant_group_aiter_kernels(),
                     rms_norm_double_quant_kernels(),
                     rms_norm_quant_static_kernels(),
                     rms_norm_quant_token_kernels(),
                     silu_mul_quant_group_kernels(),
                     silu_mul_quant_masked_kernels(),
                     silu_mul_quant_static_kernels()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace assay_kernels
