// Ordinals of arrays of codes, at memory bandwidth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "reference/formats/format.h"

namespace assay {

/// ordinal() of densely packed codes; `codes` holds ordinals.size() elements of the format.
void ordinals_of_codes(const Format& format, const std::byte* codes, std::span<int32_t> ordinals);

bool all_equal(const int32_t* a, const int32_t* b, int64_t count);

}  // namespace assay
