// Op kind "rope": pairs of a head's elements are rotated by the angle of their position.
#pragma once

#include <utility>
#include <vector>

#include "reference/flow/row.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& rope_flow();

/// Cosines and sines of one position, one per pair. In a cache [position, rotary], the first half of a row holds the cosines.
struct Angles {
  std::vector<double> cos, sin;
};

/// Columns (even, odd) of each pair in a head with that many elements, of which `pairs` pairs are rotated.
std::vector<std::pair<size_t, size_t>> rope_pairs(const Rope& contract, size_t head, size_t pairs);

class RowListener;

/// A head with its pairs rotated. Elements outside the pairs follow the cell `rest`.
Spans rope_outputs(const Rope& contract, const Spans& head, const Angles& angles, RowListener* listener = nullptr);

/// The outputs that never move toward zero while all elements of the head move away from it: unpaired ones, and those whose two
/// terms have the same sign. Only they can tell whether the head's shared factor was too small or too large.
std::vector<bool> rises_with_head(const Rope& contract, const Spans& head, const Angles& angles);

}  // namespace assay
