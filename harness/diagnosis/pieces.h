// Outputs that no program made whole: whether several did, each some columns or some rows, and else which comes nearest.
#pragma once

#include <string>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

/// A line for each program of a mixture: "columns 0 to 11 by X". Columns or rows count as made by a program where all their elements
/// are its; a mixture has at most four programs and leaves nothing over. If there is none, one line: the program that agrees with
/// most elements, how many those are, and the first that is not its. Answers of one part each; nothing of outputs without elements.
std::vector<std::string> pieces_that_made(const Expectation& programs, const std::vector<HostTensor>& outputs);

}  // namespace assay
