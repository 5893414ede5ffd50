// From a number to a code: search among the format's own values. Every comparison is of exact doubles; nothing is computed with
// the bits of a float. This is the definition that casts are judged by; formats/round.h is the fast way to the same values.
#pragma once

#include <cstdint>
#include <optional>

#include "reference/formats/format.h"
#include "reference/formats/round.h"

namespace assay {

/// The code of a finite number, or nothing where it rounds beyond the format's largest value (IEEE 754-2019, 4.3 and 7.4).
///
/// Formats without a sign take magnitudes. Where the format has no zero (e8m0), what is smaller than its least value becomes it,
/// and a tie goes up. -0 stays -0 where the format has one.
std::optional<uint32_t> encode_finite(const Format& format, double value, Rounding rounding);

/// The code of any number; NaN becomes the canonical NaN, what is too large the largest value or Inf (else NaN) with its sign.
/// Throws std::domain_error for the NaN of a format that has none.
uint32_t encode(const Format& format, double value, Rounding rounding, Overflow overflow);

/// Stochastic rounding with its random number given: the magnitude, in steps of the format, plus random / 2^random_bits, cut off.
/// random_bits is at most 52. Nothing where that lies beyond the largest value. Source: AMD CDNA3 ISA, v_cvt_sr_fp8_f32; PTX ISA,
/// cvt.rs.
std::optional<uint32_t> encode_stochastic(const Format& format, double value, uint64_t random, int random_bits);

/// Inf with that sign where the format has one, else its NaN with that sign where it has two, else its NaN, else its largest
/// value.
uint32_t special_code(const Format& format, bool negative);

/// The largest finite value with that sign.
uint32_t largest_code(const Format& format, bool negative);

}  // namespace assay
