// Generators that fill a zeroed tile, each to answer one question. `index` counts the tiles of a kind.
#pragma once

#include "harness/probe/tile_fill.h"

namespace assay::fills {

// fill_sums.cpp: how sums are computed

/// A single product of any magnitude.
void alone(TileFill& tile, int64_t index);
/// Two large products that cancel, plus one small product or c. The result shows which bits of the small one were kept.
void kept(TileFill& tile, int64_t index);
/// A large c and small products down to far below its last bit: rounding, and ties that the smallest product breaks.
void ties(TileFill& tile, int64_t index);
/// Products of at most c's magnitude in all places, so that every addition loses bits depending on the order.
void wide(TileFill& tile, int64_t index);
/// Numbers near 1.
void near_one(TileFill& tile, int64_t index);
/// A c above or below a product with many bits.
void addend(TileFill& tile, int64_t index);
/// c of any magnitude, without products.
void c_alone(TileFill& tile, int64_t index);

// fill_extremes.cpp: limits of formats, NaN and Inf

/// Tiny and subnormal numbers.
void tiny(TileFill& tile, int64_t index);
/// Subnormal factors times large ones, two of which cancel, plus a small product or c. The result shows the exponent that the
/// subnormal was aligned by.
void subnormal(TileFill& tile, int64_t index);
/// A few powers of two whose products are near the smallest number of d.
void least(TileFill& tile, int64_t index);
/// Zeros times large factors, beside small products and a small c.
void zeros(TileFill& tile, int64_t index);
/// Products and sums near the largest number of d, and near the largest exponent.
void huge(TileFill& tile, int64_t index);
void any_bits(TileFill& tile, int64_t index);
/// NaN, Inf, signed zeros, largest and smallest numbers among ones.
void specials(TileFill& tile, int64_t index);
/// Only zeros, of both signs.
void signs(TileFill& tile, int64_t index);

}  // namespace assay::fills
