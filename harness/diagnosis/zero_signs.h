// Zeros of the wrong sign, a mistake that every contract may meet.
#pragma once

#include "harness/core/expectation.h"

namespace assay {

/// The same answers, but where one of the two zeros is accepted the other one is, too.
Expectation with_either_zero(const Expectation& right);

}  // namespace assay
