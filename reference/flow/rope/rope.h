// Flow: pairs of a head's numbers are rotated by the angle of its position.
#pragma once

#include <utility>
#include <vector>

#include "reference/flow/row.h"

namespace assay {

/// The row of the registry.
const Flow& rope_flow();

/// Cosines and sines of one position, a number each pair. Where a cache holds them as [position, rotary], the first half of its
/// row are cosines.
struct Angles {
  std::vector<double> cos, sin;
};

/// Columns (even, odd) of each pair in a head of that many numbers, `pairs` of which are rotated.
std::vector<std::pair<size_t, size_t>> rope_pairs(const Rope& contract, size_t head, size_t pairs);

class RowListener;

/// A head with its pairs rotated. Numbers that are in none follow the cell `rest`.
Spans rope_outputs(const Rope& contract, const Spans& head, const Angles& angles, RowListener* listener = nullptr);

/// Which outputs cannot come nearer to zero while all numbers of the head go away from it: those of no pair, and those whose two
/// terms have one sign. Only they can tell whether the factor that a head shares was too small or too large.
std::vector<bool> rises_with_head(const Rope& contract, const Spans& head, const Angles& angles);

}  // namespace assay
