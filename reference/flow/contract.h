// A contract row bound to the formats of a case: its cells are parsed, its constants rounded. Op kinds evaluate this form.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/exact/expression.h"
#include "reference/recipe/recipe.h"

namespace assay {

// A row of group_quant, quant_azp or cache_insert: groups of elements are quantized to codes.

/// The scale is computed from a group's largest magnitude.
struct AmaxScales {
  Recipe amax;   ///< from the elements of a group to amax, from which the scale is computed
  Recipe scale;  ///< from amax to the stored scale, with ub = scale_ub of the case
};

/// Scale and zero point are computed from a group's minimum and maximum (a row of quant_azp).
struct RangeScales {
  Recipe lo, hi;  ///< from the elements of a group to the lower and the upper end of its range
  Recipe scale;   ///< from hi or lo (the cell begins with `hi:` or `lo:`) to the stored scale; may read both
  Recipe zero;    ///< from lo, hi or scale to the stored zero point, with s = scale
};

/// The scale is an input. If `with_zero`, the zero point is an input too.
struct GivenScales {
  bool with_zero;
};

/// One scale per group of elements. `outer`: these scales are relative to one more scale. Evaluated by group_quant.h.
struct GroupQuant {
  std::string row;          ///< id
  const Format* q;          ///< format of the codes
  std::string record = {};  ///< for cache_insert: the layout of a token in its block, a row of records.csv
  std::variant<AmaxScales, RangeScales, GivenScales> scales;
  Recipe mult;         ///< from the scale (or from amax, if the cell begins with `amax:`) to the multiplier m; may be empty
  Recipe code;         ///< from one element to its code, with s = scale, m and azp = zero point
  /// From amax to a second scale, the rival. A group uses it if its codes then have the smaller sum of errors. Empty: no rival.
  Recipe rival = {};
  Recipe error = {};    ///< from the value of a code to its error, with s, m and v = element
  bool squares = false;  ///< errors are squared before the sum
  enum class Takes { kIfBetter, kIfNotWorse, kAlways } takes = Takes::kIfBetter;  ///< when a group takes the rival
  bool outer = false;  ///< scales are relative to an outer scale, which is an input: g in the cells of scale, mult and code

  bool takes_scales() const { return std::holds_alternative<GivenScales>(scales); }
  bool has_zero() const {
    const auto* given = std::get_if<GivenScales>(&scales);
    return given ? given->with_zero : std::holds_alternative<RangeScales>(scales);
  }
};

// A row of row_norm.

// Quantities that only mutants use, in place of the right ones. No cell of a table can name them.
inline constexpr char kUnroundedZ[] = "unrounded z", kTenEps[] = "10 eps", kOneLess[] = "n - 1", kOnePlusW[] = "1 + w";

/// A norm: all elements of a row share the factor r. Evaluated by row_norm.h.
struct RowNorm {
  static constexpr int64_t kNoColumn = std::numeric_limits<int64_t>::max();
  std::string row;
  Recipe sum;                       ///< adds the squares of z (in mutants also of z before its last rounding), or of x - mu
  Expression depth{"0"};            ///< largest number of additions that a term of the sum passes through, as a function of n
  Recipe z;  ///< from one element of x and res (the residual) to the number that is normalized; empty: x itself
  Recipe residual;                  ///< from z to the stored residual; empty without a residual. If it starts with
                                    ///< res, the kernel leaves the residual tensor as it was
  int64_t stored_from = kNoColumn;  ///< from this column on, y is computed from the stored, rounded residual instead of z
  Recipe mean;                      ///< from the sum of x to its mean mu, with n; empty: no mean is subtracted
  Recipe r;                         ///< from the sum of squares of z, or of x - mu, to r, with n, eps and mu
  Recipe w;                         ///< from gamma to the weight; empty: gamma itself
  Recipe gate;                      ///< from g = gate to the factor h of y; empty without a gate
  /// from z to the output, with r and w; for a norm that subtracts the mean, with mu and b = beta
  Recipe y;
  bool deviates() const { return sum.reduction == Reduction::kDeviations; }
  bool adds() const { return !z.empty(); }
  bool centers() const { return !mean.empty(); }
  bool gates() const { return !gate.empty(); }
};

// A row of gated.

/// The activation of one half of a row (gate) times the other half (up). Evaluated by gated.h.
struct Gated {
  std::string row;
  bool gate_first = true;  ///< which half is the gate
  Recipe h;                ///< from the gate to the product, with g = gate and u = up
};

// A row of rope.

// Quantities that only mutants use, in place of the right ones. No cell of a table can name them.
inline constexpr char kMinusS[] = "-s";
inline constexpr char kEAcross[] = "e half a head apart", kOAcross[] = "o half a head apart";

/// Mutants only: to rotate pair i of a head, the kernel reads cosine, sine and the two elements from pairs i + cos, i + sin,
/// i + even and i + odd. All offsets are 0 in the contract.
struct RopeSlip {
  int cos = 0, sin = 0, even = 0, odd = 0;
  bool left_out = false;  ///< nothing is rotated
  bool zero_cos = false, zero_sin = false;  ///< all cosines, or all sines, are 0
};

/// Each pair of a head's elements is rotated by an angle. Evaluated by rope.h.
struct Rope {
  std::string row;
  bool interleaved = false;  ///< true: adjacent elements form a pair; false: elements half the rotated part's length apart
  bool first = true;         ///< if only a part of the head is rotated, it is the start (true) or the end (false) of the head
  Recipe even;               ///< the first element of a pair, with e and o = the pair, c and s = cosine and sine
  Recipe odd;                ///< the second element of a pair
  Recipe rest;               ///< from an element outside the rotated part to its output
  RopeSlip slip = {};
};

class RowCells;

/// One stage of a chain. Contracts that are no functions of one row (launches, packings, casts) have no Link.
using Link = std::variant<GroupQuant, RowNorm, Gated, Rope>;

/// The stages of a contract; most have one.
struct Contract {
  std::string id;
  std::vector<Link> links;
  // nullptr if the contract has no such stage:
  const GroupQuant* group_quant() const;  ///< always the last stage
  const RowNorm* row_norm() const;        ///< always the first stage
  const Gated* gated() const;             ///< always the first stage
  const Rope* rope() const;               ///< any stage
};

/// Throws std::out_of_range for an unknown id, and TableError for an invalid cell.
Contract bind(const ContractTables& tables, const std::string& id, const Format& x);

/// Binds a row that is no chain. Throws TableError for an invalid cell, and for an op kind that is not a stage of a chain.
Link bind_link(const RowCells& cells, const Format& x);

/// Parses every cell of a row, with placeholders for the formats of a case. Throws TableError.
void check(const ContractTables& tables, const ContractRow& row);

// A contract as text: its cells as formulas, and where it accepts several outputs.

struct RowInputs;

/// One line per cell: "scale = 2^ceil(log2(max(amax / 448, 1e-10)))".
std::vector<std::string> formulas(const Contract& contract);

/// Why a correct kernel may store several codes, for one row of inputs.
std::string justification(const Contract& contract, const RowInputs& row, const Format& x);

/// The formulas of a contract while they are written, stage by stage.
struct FormulaLines {
  std::vector<std::string> lines;
  std::string value = "x";  ///< name of the previous stage's result in the next formulas

  /// Adds "NAME = TEXT", with the name padded to the width of the other names.
  void add(const std::string& name, const std::string& text);
};
void append_formulas(const RowNorm& link, FormulaLines& to);
void append_formulas(const Gated& link, FormulaLines& to);
void append_formulas(const Rope& link, FormulaLines& to);
void append_formulas(const GroupQuant& link, FormulaLines& to);

/// The steps of these cells that accept several results, such as "rsqrt~2". freedom(): the part of justification() for a stage.
std::string free_steps(std::initializer_list<const Recipe*> cells);
std::string freedom(const RowNorm& link, const RowInputs& row, const Format& x);
std::string freedom(const Gated& link, const RowInputs& row, const Format& x);
std::string freedom(const Rope& link, const RowInputs& row, const Format& x);
std::string freedom(const GroupQuant& link, const RowInputs& row, const Format& x);

}  // namespace assay
