// The ladder of determinism: what a kernel's bits must not depend on, rung by rung.
#pragma once

#include "harness/run/run_case.h"

namespace assay {

/// Calls the kernel again and compares bits with `first`, the answer of the plain call:
///
///   repeat      the same call under two other schedule seeds
///   batch       each row in a batch of one row, and in one of more than twice as many
///   neighbours  the rows in the opposite order, so that each has other rows beside it
///   ...         what else the op says (BoundCase::relations): other columns, other scales, rows that lie apart
///   stream      on a stream of its own
///   graph       captured in a graph and replayed
///
/// batch and neighbours need independent rows, stream and graph a library that has them. It ends at the first rung that breaks.
Climb climb(const BoundCase& bound, const Case& one, const KernelOffer& kernel, const Backend& backend, const CallRequest& plain,
            const CallResult& first);

}  // namespace assay
