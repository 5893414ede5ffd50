// Parses the text of a cell to a recipe.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "reference/exact/expression.h"
#include "reference/recipe/cell.h"
#include "reference/recipe/step.h"

namespace assay {

/// Meaning of the names in a cell.
struct Names {
  std::map<std::string, std::string> constants;    ///< "M" -> "448": numbers as written in the row
  std::map<std::string, const Format*> formats;    ///< "x", "q" -> the formats of this case
  std::vector<std::string> quantities;             ///< provided by the op kind: "s", "m", "r", "w", "n", "eps"
};

/// Grammar of a cell: tokens with blanks between them.
///   WORK:            f32:, bf16:, f16:    the working format from here on (f32 at first)
///   NAME:            (first) begin with that quantity instead of the flow's own
///   absmax | absmax(keep) | squares       (first) reduction over the group or row; keep: NaN if one is NaN
///   absmax(all)                           (first) NaN where all are NaN: a maximum that begins with a number of them
///   deviations                            (first) squares of what is left of a number once the mean was taken off
///   verb, verb(args), verb(args)~k        a step; ~k leaves the result free by k ulp of the working format,
///   verb~k+Cv, verb~2^-N                  by k + floor(C |v|) ulp, v what the step takes, or by 2^-N of the exact result
///   verb(a*b)                             of add, sub, mul, div: a product of two quantities, rounded like a step
///   mul(c) add(a*b)~fma                   one of the two products may go into the sum unrounded, as in a fused multiply-add
///   mul(w) add(b)~fma                     the product before it may
/// Throws ParseError with the position in `cell` and what is allowed there.
Recipe parse_recipe(std::string_view cell, const Names& names);

/// The same for a parsed cell.
Recipe resolve(const std::vector<CellStep>& cell, const Names& names);

}  // namespace assay
