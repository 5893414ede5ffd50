// Fills of a tile of zeros, each made for one question; `index` counts the tiles of a kind.
#pragma once

#include "harness/probe/tile_fill.h"

namespace assay::fills {

// fill_sums.cpp: how a sum is made.

/// One product alone, of any size.
void alone(TileFill& tile, int64_t index);
/// Two large products that cancel, with one small product or c beside them: what is left is what was kept.
void kept(TileFill& tile, int64_t index);
/// A large c, and small products down to far below its last bit: rounding, and ties that the smallest breaks.
void ties(TileFill& tile, int64_t index);
/// Products of c's size and below in all places: every sum loses something, in the order in which it is made.
void wide(TileFill& tile, int64_t index);
/// Numbers near 1.
void near_one(TileFill& tile, int64_t index);
/// A c above or below a product of many bits.
void addend(TileFill& tile, int64_t index);
/// c of any size, and no product.
void c_alone(TileFill& tile, int64_t index);

// fill_extremes.cpp: the ends of formats, and what is no number.

/// Tiny and subnormal numbers.
void tiny(TileFill& tile, int64_t index);
/// Subnormal factors of large ones, of which two cancel, with a small product or c beside them: what is left is what their
/// exponent has kept.
void subnormal(TileFill& tile, int64_t index);
/// Few powers of two whose products lie about the least number of d.
void least(TileFill& tile, int64_t index);
/// Zeros that meet large factors, beside small products and a small c.
void zeros(TileFill& tile, int64_t index);
/// Products and sums about the end of d, and of what an exponent can say.
void huge(TileFill& tile, int64_t index);
void any_bits(TileFill& tile, int64_t index);
/// NaN, Inf, zeros of both signs, the largest and the least among ones.
void specials(TileFill& tile, int64_t index);
/// Zeros of both signs and nothing else.
void signs(TileFill& tile, int64_t index);

}  // namespace assay::fills
