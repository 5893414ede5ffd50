// The op with two results per launch: heads of Q, and KV records in a paged cache.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"
#include "reference/formats/format.h"
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

// The result of a launch: the answers for heads and records, and mutants of either or both.

Expectation expect_launch(const LaunchCase& c, const Problem& problem, const std::vector<HostTensor>* outputs);

/// Mutants of each half, named "Q: ..." or "KV: ...", pairs of them, and wrong angles for both.
std::vector<Hypothesis> launch_hypotheses(const LaunchCase& c);

// Prints the contract of a launch as formulas.

/// Both contracts of the row, one line per cell.
std::vector<std::string> launch_lines(const std::string& contract, const Format& x);

}  // namespace assay
