// Conversions of arrays between codes, values and ordinals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "reference/formats/format.h"

namespace assay {

/// Values of densely packed codes. `codes` holds values.size() elements of the format.
void decode_all(const Format& format, const std::byte* codes, std::span<double> values);

/// Ordinals of values on the format's grid; NaN gives kNanOrdinal. Both spans have the same size.
void ordinals_of_values(const Format& format, std::span<const double> values, std::span<int32_t> ordinals);

}  // namespace assay
