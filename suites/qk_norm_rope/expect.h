// The accepted results for the heads of a case, and its mutants.
#pragma once

#include "harness/core/bound_case.h"
#include "reference/flow/rope/rope.h"
#include "suites/qk_norm_rope/head_case.h"
#include "suites/rows/rotation.h"

namespace assay {

/// How a kernel finds its inputs. The default is correct.
struct HeadReading {
  AngleReading angles = {};
  bool q_weight_alone = false, k_weight_alone = false;  ///< one weight is used for heads of both kinds
  bool v_as_k = false;                                  ///< V heads are normalized and rotated too
};

/// The reference's inputs for head `head` of a token.
RowInputs inputs_of_head(const HeadCase& c, const Problem& problem, const HeadReading& reading, int64_t token, int64_t head);

Expectation expect_heads(const Contract& contract, const HeadCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const HeadReading& reading = {});

std::vector<Hypothesis> head_hypotheses(const HeadCase& c);

/// Implements BoundCase::situation.
std::string situation_of_heads(const HeadCase& c, const Problem& problem, const std::vector<HostTensor>& outputs);

}  // namespace assay
