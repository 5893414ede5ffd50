// A contract row bound to the formats of a case: cells parsed, constants rounded. This is what the flows run.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "reference/contracts/rows.h"
#include "reference/exact/expression.h"
#include "reference/recipe/step.h"

namespace assay {

/// One scale for each group of numbers: flow/group_quant.h runs it.
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
  // The next two differ from these only in neighbours.
  double amax_share = 1;         ///< of the group's columns that amax, or lo and hi, is taken over
  bool first_row_alone = false;  ///< of a group of many rows
  bool past_the_edge = false;    ///< a group that the edge cuts off is filled up with the beginning of the next row
};

/// One factor r for each row: flow/row_norm.h runs it.
struct RowNorm {
  static constexpr int64_t kNoColumn = std::numeric_limits<int64_t>::max();
  std::string row;
  // The next seven differ from these only in neighbours.
  double sum_share = 1;              ///< of the row that is summed, from its beginning; 0: nothing is
  double mean_share = 1;             ///< of the row whose mean is taken
  int64_t lost_degrees = 0;          ///< sums are divided by n less this
  double eps_factor = 1;             ///< of eps as the op takes it
  double weight_offset = 0;          ///< added to gamma in fp32
  bool sum_before_rounding = false;  ///< of a z that is rounded: squares of what it was before
  bool residual_as_it_was = false;   ///< the sum is not stored
  bool deviates = false;             ///< squares are of x - mu, not of x
  Expression depth{"0"};             ///< roundings a partial sum may pass through, as a function of n
  Recipe z;                          ///< from one number of x to what is normalized, with res = residual; empty: x itself
  Recipe residual;                   ///< from z to the residual that is stored; empty without a residual
  int64_t stored_from = kNoColumn;   ///< column from which y is made of the residual as it is stored
  Recipe mean;                       ///< from the sum of x to its mean mu, with n; empty: none is taken off
  Recipe r;                          ///< from the sum of squares of z, or of x - mu, to r, with n, eps and mu
  Recipe w;                          ///< from gamma to the weight; empty: gamma itself
  Recipe y;                          ///< from z to the output, with r and w; of a norm that centers with mu and b = beta
  bool adds() const { return !z.empty(); }
  bool centers() const { return !mean.empty(); }
};

/// An activation of one half of a row times the other half; flow/gated.h runs it.
struct Gated {
  std::string row;
  bool gate_first = true;  ///< which half is the gate
  Recipe h;                ///< from the gate to the product, with g = gate and u = up
};

/// Pairs of a head's numbers turned by an angle; flow/rope.h runs it.
struct Rope {
  std::string row;
  bool interleaved = false;  ///< neighbours are a pair; else a number and the one half of the rotated ones further on
  bool first = true;         ///< the rotated numbers stand at the beginning of the head; else at its end
  Recipe even;               ///< from the first number of a pair, with e and o = the pair, c and s = cosine and sine
  Recipe odd;                ///< from the second
  Recipe rest;               ///< from a number that stands in no pair
  // The next four differ from these only in neighbours.
  bool sin_negated = false;  ///< turned the other way
  bool exchanged = false;    ///< cosine for sine and sine for cosine
  bool own_partner = false;  ///< each number has itself for a partner
  bool across = false;       ///< the other of a pair lies half a head apart; of those that are rotated and no neighbours
};

using Link = std::variant<GroupQuant, RowNorm, Gated, Rope>;

/// A chain of links, mostly of one.
struct Contract {
  std::string id;
  std::vector<Link> links;
  const GroupQuant* group_quant() const;  ///< the last link if it is one
  const RowNorm* row_norm() const;        ///< the first link if it is one
  const Gated* gated() const;             ///< the first link if it is one
  const Rope* rope() const;               ///< the link that is one
};

/// Throws std::out_of_range for an unknown id and TableError for a bad cell.
Contract bind(const ContractTables& tables, const std::string& id, const Format& x);

/// One plain row. Throws TableError for a bad cell.
Link bind_link(const ContractRow& row, const Format& x);

/// Parses every cell of a row against stand-in formats. Throws TableError.
void check(const ContractTables& tables, const ContractRow& row);

}  // namespace assay
