// A kernel library for the harness's own tests: one op, "toy", that copies x to y; each kernel but "copy" misbehaves in its own
// way.
#pragma once

#include "assay/abi.h"

namespace assay::testing {

/// Its kernels: those of one call are the lines of toy_kernels.cpp, those of up to four ranks are in toy_ranks.h, and two meet
/// a capture: ignores_capture works at once instead of in the graph, cannot_be_captured fails. Streams and graphs are lists of
/// calls; a kernel whose name ends in _workspace asks for 100 bytes.
const assay_library* toy_library();

}  // namespace assay::testing
