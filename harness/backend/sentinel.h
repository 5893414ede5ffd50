// Fills outputs with a sentinel before a call, and finds which bytes kept it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/core/tensor.h"

namespace assay {

/// Storage filled with a sentinel. Number 0 is a code that results rarely have (NaN, -128); number 1 differs from it in every
/// byte. Neither contains a zero byte, since correct padding may be zero.
std::vector<std::byte> sentinel_storage(const TensorSpec& spec, int number);

/// Ranges where `now` still equals `before`: whole elements, except for int32, which may hold four packed scales and is compared
/// byte by byte.
std::vector<ByteRange> unchanged_ranges(const TensorSpec& spec, std::span<const std::byte> before,
                                        std::span<const std::byte> now);

/// Bytes in both of two ascending lists of ranges.
std::vector<ByteRange> intersection(const std::vector<ByteRange>& a, const std::vector<ByteRange>& b);

}  // namespace assay
