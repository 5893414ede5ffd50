// A case of the op with two results per launch: heads of Q, and KV records in a paged cache.
#pragma once

#include <string>

#include "suites/cache_insert/cache_case.h"
#include "suites/qk_norm_rope/head_case.h"

namespace assay {

/// The two halves share the tokens, the positions and the angle cache.
struct LaunchCase {
  HeadCase heads;
  CacheCase insert;
};

/// Throws TableError naming row and column.
LaunchCase read_launch_case(const Case& c);

/// "dsv4_qnorm_kv_insert/vllm.deepseek_v4_qnorm_kv_insert/q3.pad8.eps1e-6.bf16.m7.b3x16.holes-7/normal.normal.s1/w32"
CaseName launch_name(const Case& c, const LaunchCase& p);

/// Inputs, outputs and parameters of the call.
Problem launch_problem(const LaunchCase& p);

}  // namespace assay
