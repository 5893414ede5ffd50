// Detects zeros of the wrong sign, an error that can occur under every contract.
#pragma once

#include "harness/core/expectation.h"

namespace assay {

/// The same answers, but an interval with one of the zeros accepts both.
Expectation with_either_zero(const Expectation& right);

}  // namespace assay
