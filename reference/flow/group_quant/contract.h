// A bound row of group_quant, quant_azp or cache_insert: codes of groups of numbers.
#pragma once

#include <string>
#include <variant>

#include "reference/recipe/step.h"

namespace assay {

/// A scale is made of a group's largest magnitude.
struct AmaxScales {
  Recipe amax;   ///< from the group's numbers to the amax that counts
  Recipe scale;  ///< from amax to the stored scale, with ub = scale_ub of the case
};

/// A scale and a zero point are made of a group's least and greatest number: a row of quant_azp.
struct RangeScales {
  Recipe lo, hi;  ///< from the group's numbers to the ends of the range that counts
  Recipe scale;   ///< from `hi:`, with lo, to the stored scale
  Recipe zero;    ///< from lo, hi or scale to the stored zero point, with s = scale
};

/// A scale is an input, and a zero point too if codes have one.
struct GivenScales {
  bool with_zero;
};

/// A scale for each group of numbers, on one level or below an outer one: group_quant.h runs it.
struct GroupQuant {
  std::string row;          ///< id
  const Format* q;          ///< format of the codes
  std::string record = {};  ///< of a row of cache_insert: how a token lies in its block, a row of records.csv
  std::variant<AmaxScales, RangeScales, GivenScales> scales;
  Recipe mult;  ///< from scale (or `amax:`) to m; may be empty
  Recipe code;  ///< from one number to its code, with s = scale, m and azp = zero point
  bool outer = false;  ///< scales are relative to one of an outer level, which is an input: g in the cells of scale, mult and code

  bool takes_scales() const { return std::holds_alternative<GivenScales>(scales); }
  bool has_zero() const {
    const auto* given = std::get_if<GivenScales>(&scales);
    return given ? given->with_zero : std::holds_alternative<RangeScales>(scales);
  }
};

}  // namespace assay
