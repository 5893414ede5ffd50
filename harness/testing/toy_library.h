// A kernel library for the harness's own tests: one op, "toy", that copies x to y; each kernel but "copy" misbehaves in its own
// way.
#pragma once

#include "assay/abi.h"

namespace assay::testing {

/// Kernels: copy; overruns, underruns, far_overrun, unwritten, unwritten_first, changes_input, fails, refuses, loses_device,
/// unknown_status, off_by_one, follows_seed (depends on schedule_seed), throws, crashes, aborts, exits, hangs, prints; and for
/// the ladder of determinism remembers (earlier calls), counts_rows, counts_many_rows (above 256), looks_at_neighbours,
/// needs_default_stream, ignores_capture (works at once instead of in the graph), cannot_be_captured. Streams and graphs are lists of calls. For the process boundary
/// rounds_down and flushes (change the floating-point environment), writes_far_behind, writes_far_before, reads_far_behind (60000
/// bytes), writes_a_row_behind, crashes_if_tall (more than three rows), process_id (stores it), takes_memory,
/// scribbles_on_socket, closes_files, faults; uses_workspace, exceeds_workspace (100 bytes). Of several ranks, up to four:
/// sums_ranks, in which all wait for all, and rank_fails.
const assay_library* toy_library();

}  // namespace assay::testing
