// Transcendental functions, correctly rounded. A double approximation suffices if its error bound decides the rounding; otherwise
// MPFR is used.
#pragma once

#include "reference/formats/format.h"

namespace assay {

enum class Function { kExp, kExp2, kLog2, kRsqrt, kSqrt, kTanh, kErf };

/// Nearest-even value of `format` (at most 24 bits of precision) to function(x). Domain errors give NaN, poles give Inf,
/// as in IEEE 754-2019 section 9.2.
double correctly_rounded(Function function, double x, const Format& format);

/// The same computed only with MPFR: slow and independent, for tests.
double correctly_rounded_by_mpfr(Function function, double x, const Format& format);

}  // namespace assay
