// A kernel library for tests of the harness. It has one op, "toy", which copies x to y. Each kernel except "copy" misbehaves in
// its own way.
#pragma once

#include "assay/abi.h"

namespace assay::testing {

/// Its kernels: toy_kernels.cpp lists those of one rank, toy_ranks.h those of up to four ranks. Two more test captures:
/// ignores_capture runs immediately instead of in the graph, cannot_be_captured fails. Streams and graphs are lists of calls. A
/// kernel whose name ends in _workspace requests 100 bytes.
const assay_library* toy_library();

}  // namespace assay::testing
