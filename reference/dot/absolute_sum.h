// Sums of absolute products, the factor of error bounds: computed in f32, with the result rounded upward.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "reference/dot/tile.h"

namespace assay {

/// sum over k of |a b| with all scales, for a range of y; to(i) returns the output for its row i. The result is at least the sum.
/// It exceeds the sum by at most 2^-14 of it; and where all products of a stretch of 256 k are tiny compared with the product of
/// the largest numbers of both rows, also by up to 2^-118 of that product. NaN and Inf count as 0.
void absolute_sums(const DotTask& task, const DotRange& part, const std::function<std::span<double>(int64_t row)>& to);

}  // namespace assay
