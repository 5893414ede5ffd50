// assay arch verify --backend: compares the tensor core instructions of a back end with their models.
#pragma once

#include "harness/cli/verbs.h"

namespace assay {

/// Runs every instruction that the back end offers on seven kinds of data plus special values, in chains of 1, 2, 4 and 128
/// instructions. Prints one line per instruction and kind of data, with the seed and a digest of the results for each chain
/// length. Returns the exit code for "not as expected" if an element differs.
int verify_backend(const ArchArguments& arguments);

}  // namespace assay
