// A contract row bound to the formats of a case: cells parsed, constants rounded. This is what the flows run.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/exact/expression.h"
#include "reference/recipe/recipe.h"

namespace assay {

// A bound row of group_quant, quant_azp or cache_insert: codes of groups of numbers.

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

// A bound row of row_norm.

// Quantities that no row can name. Edits put them instead of the right ones.
inline constexpr char kUnroundedZ[] = "unrounded z", kTenEps[] = "10 eps", kOneLess[] = "n - 1", kOnePlusW[] = "1 + w";

/// One factor r for each row: row_norm.h runs it.
struct RowNorm {
  static constexpr int64_t kNoColumn = std::numeric_limits<int64_t>::max();
  std::string row;
  Recipe sum;             ///< squares, or deviations from mu; it begins with z, or with what z was before its last rounding
  Expression depth{"0"};  ///< roundings a partial sum may pass through, as a function of n
  Recipe z;               ///< from one number of x to what is normalized, with res = residual; empty: x itself
  Recipe residual;        ///< from z to the residual that is stored; empty without a residual; one that begins with
                          ///< res is made and not stored
  int64_t stored_from = kNoColumn;  ///< column from which y is made of the residual as it is stored
  Recipe mean;                      ///< from the sum of x to its mean mu, with n; empty: none is taken off
  Recipe r;                         ///< from the sum of squares of z, or of x - mu, to r, with n, eps and mu
  Recipe w;                         ///< from gamma to the weight; empty: gamma itself
  Recipe gate;                      ///< from g = gate to what y is multiplied by, h; empty without a gate
  Recipe y;                         ///< from z to the output, with r and w; of a norm that centers with mu and b = beta
  bool deviates() const { return sum.reduction == Reduction::kDeviations; }
  bool adds() const { return !z.empty(); }
  bool centers() const { return !mean.empty(); }
  bool gates() const { return !gate.empty(); }
};

// A bound row of gated.

/// An activation of one half of a row times the other half; gated.h runs it.
struct Gated {
  std::string row;
  bool gate_first = true;  ///< which half is the gate
  Recipe h;                ///< from the gate to the product, with g = gate and u = up
};

// A bound row of rope.

// Quantities that no row can name. Edits put them instead of the right ones.
inline constexpr char kMinusS[] = "-s";
inline constexpr char kEAcross[] = "e half a head apart", kOAcross[] = "o half a head apart";

/// Pairs of a head's numbers turned by an angle; rope.h runs it.
struct Rope {
  std::string row;
  bool interleaved = false;  ///< neighbours are a pair; else a number and the one half of the rotated ones further on
  bool first = true;         ///< the rotated numbers stand at the beginning of the head; else at its end
  Recipe even;               ///< from the first number of a pair, with e and o = the pair, c and s = cosine and sine
  Recipe odd;                ///< from the second
  Recipe rest;               ///< from a number that is in no pair
};

class RowCells;

/// One stage of a chain of row functions. Contracts that are not such chains (a launch, a packing, a cast) have no Link.
using Link = std::variant<GroupQuant, RowNorm, Gated, Rope>;

/// A chain of stages, usually one.
struct Contract {
  std::string id;
  std::vector<Link> links;
  const GroupQuant* group_quant() const;  ///< the last stage if it is one
  const RowNorm* row_norm() const;        ///< the first stage if it is one
  const Gated* gated() const;             ///< the first stage if it is one
  const Rope* rope() const;               ///< the stage that is one
};

/// Throws std::out_of_range for an unknown id and TableError for a bad cell.
Contract bind(const ContractTables& tables, const std::string& id, const Format& x);

/// Binds a single plain row. Throws TableError for a bad cell, and for an op kind that is no stage of a chain.
Link bind_link(const RowCells& cells, const Format& x);

/// Parses every cell of a row against stand-in formats. Throws TableError.
void check(const ContractTables& tables, const ContractRow& row);

}  // namespace assay
