// Sums of absolute products, which error bounds multiply: in f32 with everything rounded upward in the end.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "reference/dot/tile.h"

namespace assay {

/// sum over k of |a b| with all scales, of a part of y: to(i) gets row i of it. Not less than the sum, and more by at most 2^-14
/// of it and, where all products of a stretch of 256 k are tiny beside those of the largest numbers of both rows, 2^-118 of
/// these. What is not finite counts as 0.
void absolute_sums(const DotTask& task, const DotRange& part, const std::function<std::span<double>(int64_t row)>& to);

}  // namespace assay
