// assay arch verify --backend: the units of a back end compared with their rows, on as many elements as one likes.
#pragma once

#include "harness/cli/verbs.h"

namespace assay {

/// Every unit that the back end offers: seven kinds of data and special values, each in chains of 1, 2, 4 and 128 instructions.
/// Prints a line for a unit and a kind, with the seed and a digest of what came back for each length. Exit code: unexpected if an
/// element differs.
int verify_backend(const ArchArguments& arguments);

}  // namespace assay
