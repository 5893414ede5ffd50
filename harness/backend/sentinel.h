// What outputs hold before a call, and which of it is still there afterwards.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/core/tensor.h"

namespace assay {

/// Storage full of a sentinel. Number 0 is a code that results rarely are (NaN, -128); number 1 differs from it in every byte.
/// Neither has a zero byte, which padding may have to be.
std::vector<std::byte> sentinel_storage(const TensorSpec& spec, int number);

/// Where `now` still equals `before`: whole elements, but single bytes of int32, which may be four packed scales.
std::vector<ByteRange> unchanged_ranges(const TensorSpec& spec, std::span<const std::byte> before,
                                        std::span<const std::byte> now);

/// Bytes that lie in both lists of ascending ranges.
std::vector<ByteRange> intersection(const std::vector<ByteRange>& a, const std::vector<ByteRange>& b);

}  // namespace assay
