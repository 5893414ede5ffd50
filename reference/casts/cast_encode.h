// Encodes a number by searching the format's values. All comparisons are between exact doubles, and no float bits are
// manipulated. This is the definition that casts are checked against; formats/round.h computes the same values faster.
#pragma once

#include <cstdint>
#include <optional>

#include "reference/formats/format.h"
#include "reference/formats/round.h"

namespace assay {

/// The code of a finite number, or nothing if it rounds beyond the format's largest value (IEEE 754-2019, 4.3 and 7.4).
///
/// Formats without a sign use the magnitude. If a format has no zero (e8m0), smaller numbers become its smallest value, and ties
/// round up. -0 stays -0 if the format has one.
std::optional<uint32_t> encode_finite(const Format& format, double value, Rounding rounding);

/// The code of any number. NaN becomes the canonical NaN; too large numbers become the largest value or Inf (otherwise NaN) with
/// their sign. Throws std::domain_error for NaN if the format has none.
uint32_t encode(const Format& format, double value, Rounding rounding, Overflow overflow);

/// Stochastic rounding with a given random number: the magnitude in steps of the format, plus random / 2^random_bits, truncated.
/// random_bits is at most 52. Nothing if the result exceeds the largest value. Source: AMD CDNA3 ISA, v_cvt_sr_fp8_f32; PTX ISA,
/// cvt.rs.
std::optional<uint32_t> encode_stochastic(const Format& format, double value, uint64_t random, int random_bits);

/// Inf with that sign if the format has one; otherwise NaN (with that sign if there are two); otherwise the largest value.
uint32_t special_code(const Format& format, bool negative);

/// The largest finite value with that sign.
uint32_t largest_code(const Format& format, bool negative);

}  // namespace assay
