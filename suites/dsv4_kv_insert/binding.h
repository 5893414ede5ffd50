// Ops dsv4_kv_insert, the KV side of fused_deepseek_v4_qnorm_rope_kv_rope_quant_insert, and dsv4_kv_norm_insert, which normalizes
// KV first: fused_deepseek_v4_kv_norm_rope_quant_insert.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op dsv4_kv_insert_op();
Op dsv4_kv_norm_insert_op();

}  // namespace assay
