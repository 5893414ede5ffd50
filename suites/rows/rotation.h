// What ops that rotate share: the cache of cosines and sines, and the rotation of a number in words.
#pragma once

#include <string>
#include <vector>

#include "harness/core/tensor.h"
#include "reference/contracts/bind.h"
#include "reference/flow/row.h"

namespace assay {

/// Input cos_sin_cache [positions, rotary]: cosines and then sines of each position, points of the unit circle, each position's
/// and pair's own: (1 - t^2, 2 t) / (1 + t^2), which no mathematical library changes. Position 0 turns nothing, as in every real
/// cache.
HostTensor unit_circle_cache(const Format& format, int64_t positions, int64_t rotary, uint64_t seed, uint32_t stream);

/// What a rotation makes of number `column` of a head, with its partner and its angle.
void append_rotation(std::vector<std::string>& lines, const Rope& rope, const Spans& head, const RowInputs& inputs,
                     size_t column);

}  // namespace assay
