// What a contract makes of the heads of a case, and its mistakes.
#pragma once

#include "harness/core/bound_case.h"
#include "reference/flow/rope/rope.h"
#include "suites/qk_norm_rope/head_case.h"
#include "suites/rows/rotation.h"

namespace assay {

/// Where a kernel finds its inputs. A right one finds them as a HeadReading that is not changed.
struct HeadReading {
  AngleReading angles = {};
  bool q_weight_alone = false, k_weight_alone = false;  ///< for heads of both kinds
  bool v_as_k = false;                                  ///< V heads are normalized and rotated too
};

/// What the reference is given for head `head` of a token.
RowInputs inputs_of_head(const HeadCase& c, const Problem& problem, const HeadReading& reading, int64_t token, int64_t head);

Expectation expect_heads(const Contract& contract, const HeadCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const HeadReading& reading = {});

std::vector<Hypothesis> head_hypotheses(const HeadCase& c);

/// As BoundCase::situation.
std::string situation_of_heads(const HeadCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
