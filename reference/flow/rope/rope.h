// Op kind "rope": pairs of a head's elements are rotated by an angle that depends on the token's position.
#pragma once

#include <utility>
#include <vector>

#include "reference/flow/row.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& rope_flow();

/// Cosine and sine of each pair at one position. In a cache [position, rotary], the first half of a row holds the cosines.
struct Angles {
  std::vector<double> cos, sin;
};

/// The two columns (even, odd) of each pair, for a head of `head` elements of which `pairs` pairs are rotated.
std::vector<std::pair<size_t, size_t>> rope_pairs(const Rope& contract, size_t head, size_t pairs);

class RowListener;

/// A head after rotation. Elements outside of the pairs follow the cell `rest`.
Spans rope_outputs(const Rope& contract, const Spans& head, const Angles& angles, RowListener* listener = nullptr);

/// For each output: whether its magnitude grows if all elements of the head grow in magnitude. True for elements that are not
/// rotated, and if both terms of the rotation have the same sign. Only these outputs show whether r of a norm was too small.
std::vector<bool> rises_with_head(const Rope& contract, const Spans& head, const Angles& angles);

}  // namespace assay
