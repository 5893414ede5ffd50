// Invariance tests: changes of a call that must not change any bit of the outputs, level by level.
#pragma once

#include "harness/run/run_case.h"

namespace assay {

/// Calls the kernel again and compares bits with `first`, the answer to the plain call. The levels:
///
///   repeat      the same call under two other schedule seeds
///   batch       each row in a batch of one row, and in a batch more than twice as large
///   neighbours  the rows in reverse order, so that each row has different neighbours
///   ...         levels of the op (BoundCase::relations): other columns, other scales, rows with gaps between them
///   stream      on a non-default stream
///   graph       captured in a graph and replayed
///
/// batch and neighbours need independent rows; stream and graph need a library that supports them. Stops at the first level that
/// fails.
Climb climb(const BoundCase& bound, const Case& one, const KernelOffer& kernel, const Backend& backend, const CallRequest& plain,
            const CallResult& first);

}  // namespace assay
