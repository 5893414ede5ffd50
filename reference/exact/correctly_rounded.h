// Transcendental functions, rounded once. A double approximation decides where its error bound lets it; MPFR decides elsewhere.
#pragma once

#include "reference/formats/format.h"

namespace assay {

enum class Function { kExp, kExp2, kLog2, kRsqrt, kSqrt, kTanh, kErf };

/// Nearest-even value of `format` (at most 24 bits of precision) to function(x). Domain errors give NaN, poles give Inf,
/// as in IEEE 754-2019 section 9.2.
double correctly_rounded(Function function, double x, const Format& format);

/// The same, always by MPFR: the slow and independent way, for tests.
double correctly_rounded_by_mpfr(Function function, double x, const Format& format);

}  // namespace assay
