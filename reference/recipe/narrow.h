// Narrows a hidden quantity to the values that can have led to what a kernel stored.
#pragma once

#include <functional>
#include <optional>

#include "reference/recipe/eval.h"

namespace assay {

/// In which direction the hidden value must move so that the result matches the stored value.
enum class Direction { kFits, kUp, kDown, kBoth };

/// The numbers of `grid` in `hidden` for which `at` returns kFits, as an interval, by bisection (`at` is monotone). Empty if
/// there are none.
std::optional<Span> narrow(Span hidden, const Format& grid, const std::function<Direction(double)>& at);

/// The part of `hidden` (on the f32 grid) that the recipe can map to `stored`. The recipe must be increasing.
std::optional<Span> narrow(const Recipe& recipe, Span hidden, double stored, const Environment& environment);

}  // namespace assay
