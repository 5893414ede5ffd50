// Quantization of a row: in groups, with zero points, and into cache records.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/row.h"
#include "reference/recipe/eval.h"

namespace assay {

// Binds the cells that contract rows of all ops with codes share.

/// Binds mult and code, the cells that these rows share. `sources`: quantities from which mult may start.
void bind_codes(const RowCells& cells, Names& names, const std::vector<std::string>& sources, GroupQuant& g);

/// Binds a row of group_quant or cache_insert.
GroupQuant bind_group_quant(const RowCells& cells, const Format& x);

// Mutants of a row with one scale per group.

void add_group_quant_edits(RowEdits& edits);

// Op kind "group_quant": each group of elements shares one scale.

/// The inputs from which a row's scales come, according to its cells amax and scale: "scale" (the scale itself), "scale_ub" (its
/// upper bound), "global_scale" (the scale of an outer level).
std::vector<std::string> scales_taken(const ContractRow& row);

/// The registry entry of this op kind.
const Flow& group_quant_flow();

/// Amax, scale and multiplier of each group of a row: the results of all cells before `code`.
struct GroupScales {
  Spans amax;   ///< result of the amax cell
  Spans scale;  ///< result of the scale cell
  Spans s, m;   ///< inputs of the code cell, narrowed by the stored scales if there are any
  Spans lo, hi;  ///< for quant_azp, instead of amax: results of the lo and hi cells
  Spans zero;    ///< result of the zero cell
  Spans azp;     ///< input of the code cell, narrowed like s
};

/// Largest magnitude of the elements first .. first + count - 1, with the reduction's rule for NaN.
Span absolute_maximum(const Spans& values, size_t first, size_t count, Reduction reduction);

/// Largest magnitudes of the groups of one row; the last group may be shorter.
Spans group_maxima(const GroupQuant& contract, const Spans& values, int64_t group_size);

/// Merges the largest magnitudes of another row into `maxima`, for groups that cover several rows.
void join_maxima(const GroupQuant& contract, Spans& maxima, const Spans& others);

/// What the row's scales are computed from: the amax of each group; or the scales themselves, if they are inputs.
Spans group_sources(const GroupQuant& contract, const Spans& values, const RowInputs& inputs);

/// An environment with g, the scale of the outer level, and 1/g, its reciprocal rounded to f32.
Environment with_outer_scale(double outer);

/// `stored_scale`: codes are computed from the stored scale of each group; empty: from all accepted scales. A rejected stored
/// scale is ignored; the check of scales reports it. Only the listener uses `group_size`. `outer`: scale of the outer level.
GroupScales group_scales(const GroupQuant& contract, const Spans& sources, double scale_ub,
                         const std::vector<double>& stored_scale, RowListener* listener = nullptr, int64_t group_size = 1,
                         double outer = 1);

/// True if the interval contains the stored value or accepts any number, or if both are NaN.
bool may_equal(Span span, double value);

/// Codes of a row's elements `values`, given the scales of their groups. The first group begins at values[0].
Spans group_codes(const GroupQuant& contract, const Spans& values, int64_t group_size, const GroupScales& scales,
                  RowListener* listener = nullptr, double outer = 1);

// Op kind "quant_azp": each group has one scale and one zero point, computed from its minimum and maximum.

/// The registry entry of this op kind.
const Flow& quant_azp_flow();

/// Scales and zero points of a row's groups, for group_codes(). If the contract accepts several values of a scale or zero
/// point, `stored` narrows it to the stored value. A zero point that the contract leaves undefined stays undefined.
GroupScales zero_point_scales(const GroupQuant& contract, const Spans& values, const RowInputs& inputs, const StoredRow* stored,
                              RowListener* listener = nullptr);

// Op kind "cache_insert": what the record of one token in a paged cache contains.

/// The registry entry of this op kind.
const Flow& cache_insert_flow();

/// Accepted values of one token. records.csv says which of them the record stores, and where.
struct RecordValues {
  Spans values;                               ///< the token's elements after the earlier stages
  Spans codes;                                ///< codes of the first `coded` elements
  Spans scales;                               ///< scales of their groups; empty if the scale is an input
  std::vector<std::string> joint_violations;  ///< messages: outputs that pass alone, but that no single r explains
};

/// `inputs.coded` must be set. `stored`: the kernel's record, decoded. Its y has one value per element of the token, NaN where
/// the record has a code instead. If `stored` is nullptr, nothing is narrowed.
RecordValues record_values(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format,
                           RowListener* listener = nullptr);

}  // namespace assay
