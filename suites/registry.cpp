#include "suites/registry.h"

#include <stdexcept>
#include <string>

#include "reference/table/near.h"
#include "suites/cast/binding.h"
#include "suites/concat_and_cache_mla/binding.h"
#include "suites/dsv4_kv_insert/binding.h"
#include "suites/dsv4_qnorm_kv_insert/binding.h"
#include "suites/fused_add_rms_norm/binding.h"
#include "suites/indexer_k_quant_and_cache/binding.h"
#include "suites/layer_norm/binding.h"
#include "suites/pack_scales/binding.h"
#include "suites/qk_norm_rope/binding.h"
#include "suites/quant_azp/binding.h"
#include "suites/quant_experts/binding.h"
#include "suites/quant_group/binding.h"
#include "suites/quant_static/binding.h"
#include "suites/quant_tile/binding.h"
#include "suites/rms_norm/binding.h"
#include "suites/rms_norm_double_quant/binding.h"
#include "suites/rms_norm_quant_group/binding.h"
#include "suites/rms_norm_quant_static/binding.h"
#include "suites/silu_mul_quant_group/binding.h"
#include "suites/silu_mul_quant_masked/binding.h"
#include "suites/silu_mul_quant_static/binding.h"

namespace assay {

std::span<const Op> all_ops() {
  // An op whose columns a dump can fill stands before others that take its contracts too.
  static const Op ops[] = {cast_op(),
                           concat_and_cache_mla_op(),
                           dsv4_kv_insert_op(),
                           dsv4_kv_norm_insert_op(),
                           dsv4_qnorm_kv_insert_op(),
                           fused_add_rms_norm_op(),
                           indexer_k_quant_and_cache_op(),
                           layer_norm_op(),
                           pack_scales_op(),
                           q_norm_rope_op(),
                           qk_norm_rope_op(),
                           quant_azp_op(),
                           quant_group_op(),
                           quant_experts_op(),
                           quant_static_op(),
                           quant_tile_op(),
                           rms_norm_op(),
                           rms_norm_quant_group_op(),
                           rms_norm_quant_static_op(),
                           rms_norm_double_quant_op(),
                           silu_mul_quant_group_op(),
                           silu_mul_quant_masked_op(),
                           silu_mul_quant_static_op()};
  return ops;
}

const Op& find_op(std::string_view name) {
  std::vector<std::string> names;
  for (const Op& op : all_ops()) {
    if (op.name == name) return op;
    names.push_back(op.name);
  }
  throw std::out_of_range("unknown op '" + std::string(name) + "'" + did_you_mean(name, names));
}

}  // namespace assay
