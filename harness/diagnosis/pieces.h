// For outputs that match no variant as a whole: finds whether several variants made some columns or rows each, or else the
// closest variant.
#pragma once

#include <string>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

/// One line per variant of a mixture: "columns 0 to 11 by X". A variant owns a column or row if all of its elements match. A
/// mixture has at most four variants and covers everything. If there is none: one line with the closest variant, the number of
/// matching elements and the first that does not match. Every answer must have one part; outputs without elements give no lines.
std::vector<std::string> pieces_that_made(const Expectation& programs, const std::vector<HostTensor>& outputs);

}  // namespace assay
