// Op dsv4_qnorm_kv_insert: fused_deepseek_v4_qnorm_rope_kv_rope_quant_insert as a whole.
#pragma once

#include "harness/core/op.h"

namespace assay {

Op dsv4_qnorm_kv_insert_op();

/// A launch contract in words: those of its heads and of its insertion.
std::vector<std::string> launch_lines(const std::string& contract, const Format& x);

}  // namespace assay
