// The result of a launch: the answers for heads and records, and mutants of either or both.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "suites/dsv4_qnorm_kv_insert/launch_case.h"

namespace assay {

Expectation expect_launch(const LaunchCase& c, const Problem& problem, const std::vector<HostTensor>* outputs);

/// Mutants of each half, named "Q: ..." or "KV: ...", pairs of them, and wrong angles for both.
std::vector<Hypothesis> launch_hypotheses(const LaunchCase& c);

}  // namespace assay
