// What a launch returns: the answer about the heads and the one about the records, and mistakes in either or in both.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "suites/dsv4_qnorm_kv_insert/launch_case.h"

namespace assay {

Expectation expect_launch(const LaunchCase& c, const Problem& problem, const std::vector<HostTensor>* outputs);

/// Mistakes of each side, named "Q: ..." or "KV: ..." and combined with those of the other, and wrong angles for both.
std::vector<Hypothesis> launch_hypotheses(const LaunchCase& c);

}  // namespace assay
