// Quantizations of a row: by groups, with zero points, and into cache records.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/row.h"
#include "reference/recipe/eval.h"

namespace assay {

// What all rows with codes have in common when they are bound.

/// The cells mult and code. `sources`: quantities that the multiplier may begin with.
void bind_codes(const RowCells& cells, Names& names, const std::vector<std::string>& sources, GroupQuant& g);

/// A row of group_quant or of cache_insert.
GroupQuant bind_group_quant(const RowCells& cells, const Format& x);

// The mistakes that a row with one scale for each group can have.

void add_group_quant_edits(RowEdits& edits);

// Flow: each group of numbers shares one scale.

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
bool may_equal(Span span, double value);

/// Codes of the numbers first .. first + values.size() of the row, given the scales of their groups.
Spans group_codes(const GroupQuant& contract, const Spans& values, int64_t group_size, const GroupScales& scales,
                  RowListener* listener = nullptr, double outer = 1);

// Flow: each group of numbers shares one scale and one zero point, made of its least and its greatest number.

/// The row of the registry.
const Flow& quant_azp_flow();

/// Scales and zero points of the groups of a row; group_codes() goes on from them. With `stored`, one that the contract leaves
/// free is narrowed to what was stored. A zero point that is undefined stays so: nothing follows from what was stored.
GroupScales zero_point_scales(const GroupQuant& contract, const Spans& values, const RowInputs& inputs, const StoredRow* stored,
                              RowListener* listener = nullptr);

// Flow: what the record of one token in a paged cache holds.

/// The row of the registry.
const Flow& cache_insert_flow();

/// Accepted reals of one token. Which of them a record has, and where, says records.csv.
struct RecordValues {
  Spans values;                               ///< the token's numbers as the links before the last leave them
  Spans codes;                                ///< of the first `coded` of them
  Spans scales;                               ///< of the groups of those; empty if the scale is an input
  std::vector<std::string> joint_violations;  ///< each element passes alone, but not with the others
};

/// `inputs.coded` must say how many. `stored`: what the kernel put into the record, decoded; its y holds a number for each of the
/// token, NaN where the record has a code in its place. Null: from the inputs alone.
RecordValues record_values(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format,
                           RowListener* listener = nullptr);

}  // namespace assay
