// A bound row of group_quant, quant_azp or cache_insert: codes of groups of numbers.
#pragma once

#include <string>

#include "reference/recipe/step.h"

namespace assay {

/// One scale for each group of numbers: group_quant.h runs it.
struct GroupQuant {
  std::string row;           ///< id
  const Format* q;           ///< format of the codes
  std::string record = {};   ///< of a row of cache_insert: how a token lies in its block, a row of records.csv
  bool scale_given = false;  ///< the scale is an input, and the zero point if there is one: no cells before mult
  bool has_zero = false;     ///< a row of quant_azp: lo, hi and zero in place of amax
  Recipe lo, hi;             ///< from the group's numbers to the ends of the range that counts
  Recipe zero;               ///< from lo, hi or scale to the stored zero point, with s = scale
  Recipe amax;               ///< from the group's numbers to the amax that counts
  Recipe scale;              ///< from amax (or `hi:`, with lo) to the stored scale, with ub = scale_ub of the case
  Recipe mult;               ///< from scale (or `amax:`) to m; may be empty
  Recipe code;               ///< from one number to its code, with s = scale, m and azp = zero point
};

}  // namespace assay
