// Norms and activations whose y is an output of its own, and those whose y only goes into the next step of a chain.
#pragma once

#include "harness/core/case.h"

namespace assay {

/// Throws TableError if the case's contract is a norm or an activation that leaves y unrounded, for the step behind it.
void require_stored_y(const Case& c);

}  // namespace assay
