// Flow: each group of numbers shares one scale.
#pragma once

#include "reference/flow/row.h"
#include "reference/recipe/eval.h"

namespace assay {

/// Which scales the cells amax and scale leave to the caller: "scale" itself, "scale_ub" that bounds it,
/// and "global_scale" of an outer level.
std::vector<std::string> scales_taken(const ContractRow& row);

/// The row of the registry.
const Flow& group_quant_flow();

/// Amax, scale and multiplier of each group of a row; the three cells before the codes.
struct GroupScales {
  Spans amax;   ///< after the amax cell
  Spans scale;  ///< after the scale cell
  Spans s, m;   ///< what the code cell sees, narrowed by the stored scales if there are any
  Spans lo, hi;  ///< in place of amax, of a row of quant_azp: after the lo and the hi cell
  Spans zero;    ///< after the zero cell
  Spans azp;     ///< what the code cell sees, narrowed like s
};

/// Largest magnitude among numbers first .. first + count, with the NaN rule of the reduction.
Span absolute_maximum(const Spans& values, size_t first, size_t count, Reduction reduction);

/// Largest magnitudes of the groups of one row; the last group may be shorter.
Spans group_maxima(const GroupQuant& contract, const Spans& values, int64_t group_size);

/// Largest magnitudes of two rows as those of both.
void join_maxima(const GroupQuant& contract, Spans& maxima, const Spans& others);

/// What the row's scales are made of: maxima of its groups, or the scales themselves if they are inputs.
Spans group_sources(const GroupQuant& contract, const Spans& values, const RowInputs& inputs);

/// `stored_scale` empty: nothing to narrow by. A stored scale that the contract does not allow is ignored here (it fails by itself).
/// `group_size`: of the groups, for the listener. `outer`: the scale of the outer level.
GroupScales group_scales(const GroupQuant& contract, const Spans& sources, double scale_ub, const std::vector<double>& stored_scale,
                         RowListener* listener = nullptr, int64_t group_size = 1, double outer = 1);

/// Whether a stored number is one that the contract allows.
bool accepts(Span span, double value);

/// Codes of the numbers first .. first + values.size() of the row, given the scales of their groups.
Spans group_codes(const GroupQuant& contract, const Spans& values, int64_t group_size, const GroupScales& scales,
                  RowListener* listener = nullptr, double outer = 1);

}  // namespace assay
