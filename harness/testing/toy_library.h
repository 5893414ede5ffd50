// A kernel library for the harness's own tests: one op, "toy", that copies x to y; each kernel but "copy" misbehaves in its own
// way.
#pragma once

#include "assay/abi.h"

namespace assay::testing {

/// Kernels: copy; overruns, underruns, far_overrun, unwritten, unwritten_first, changes_input, fails, refuses, loses_device,
/// unknown_status, off_by_one, follows_seed (depends on schedule_seed), throws, crashes, aborts, exits, hangs, prints; and for
/// the ladder of determinism remembers (earlier calls), counts_rows, looks_at_neighbours, needs_default_stream, ignores_capture
/// (works at once instead of in the graph), cannot_be_captured. Streams and graphs are lists of calls.
const assay_library* toy_library();

}  // namespace assay::testing
