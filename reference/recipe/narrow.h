// Conditioning: which values of a hidden quantity can have led to what a kernel stored.
#pragma once

#include <functional>
#include <optional>

#include "reference/recipe/eval.h"

namespace assay {

/// Which way the hidden value has to move so that the result meets what was stored.
enum class Direction { kFits, kUp, kDown, kBoth };

/// The numbers of `grid` in `hidden` for which `at` says kFits, as an interval, by bisection: `at` is monotone. Empty if there is none.
std::optional<Span> narrow(Span hidden, const Format& grid, const std::function<Direction(double)>& at);

/// The part of `hidden` (on the f32 grid) that the recipe may map onto `stored`. The recipe is monotone upward.
std::optional<Span> narrow(const Recipe& recipe, Span hidden, double stored, const Environment& environment);

}  // namespace assay
