// Rounds a double to the nearest code, for input generators. Integer arithmetic only.
#pragma once

#include <cstdint>

#include "reference/formats/format.h"

namespace assay {

/// Nearest code, ties to even, saturating at the largest finite value. Inf is kept if the format has it; NaN becomes the
/// canonical NaN. e8m0: nearest power of two, at least 2^-127; the sign is ignored.
uint32_t nearest_code(const Format& format, double value);

}  // namespace assay
