// The code nearest to a number, for making inputs. Integer arithmetic only.
#pragma once

#include <cstdint>

#include "reference/formats/format.h"

namespace assay {

/// Nearest code, ties to even, saturating at the largest finite value. Inf is kept where the format has it; NaN becomes the
/// canonical NaN. e8m0 takes the nearest power of two from 2^-127 up, whatever the sign.
uint32_t nearest_code(const Format& format, double value);

}  // namespace assay
