// Mutants of GEMM contracts, and contracts whose instruction is undocumented.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reference/flow/dot/dot_predict.h"

namespace assay {

// Mutants of a GEMM: of its instruction, of the other cells of its row, and of the operands that it reads.

/// A contract with one mistake, in most cases a changed cell. A few of these mistakes cannot be written in a row.
struct DotNeighbour {
  std::string name;  ///< such as "unit sum: align(13) -> align(12)", "promote: every(128) -> none"
  DotContract contract;
  bool suspect = false;  ///< only the diagnosis uses it: inputs need not expose it
};

/// Every mutant, except mutants of promotion and split-K whose order of additions the contract also allows for this k. `y`:
/// format of the result.
std::vector<DotNeighbour> dot_neighbours(const DotContract& contract, const UnitTable& units, int64_t k, const Format& y,
                                         bool with_bias);

/// Mutants of a GEMM with sorted ids: router weights (if the case has any) are multiplied at another step, or sums are in bf16.
std::vector<DotNeighbour> router_neighbours(const DotContract& contract, int64_t k, const Format& y, bool with_bias,
                                            bool with_weights);

/// Operands that are read from the wrong place: the contract stays the same, its inputs change.
struct DotMisreading {
  std::string name;  ///< such as "b: read as [k, n]"
  DotInputs (*read)(const DotInputs& right, int64_t products);
  int64_t products = 0;  ///< argument of `read`: elements along k that are left out, or rows of a tile that is read wrongly
  bool suspect = false;  ///< only the diagnosis uses it: inputs need not expose it
};

/// Misreadings of zero points.
void add_azp_misreadings(const DotInputs& right, std::vector<DotMisreading>& all);
/// Misreadings of scales.
void add_scale_misreadings(const DotInputs& right, std::vector<DotMisreading>& all);

/// All misreadings that change the operands for this shape. `unit_k`: k of an instruction. `tile_k`: length of a tile along k, or
/// 0 if there are no tiles.
std::vector<DotMisreading> dot_misreadings(const DotInputs& right, int64_t unit_k, int64_t tile_k);

}  // namespace assay

namespace assay::dot {

// Collects the mutants of one GEMM: of its instruction and sums, and of its result.

using Steps = std::vector<CellStep>;

/// Mutants of a contract for one k.
class Edits {
 public:
  Edits(const DotContract& right, int64_t k) : right_(right), k_(k) {}

  template <class Change>
  void add(const std::string& name, Change change) {
    DotNeighbour wrong{name, right_};
    change(wrong);
    all.push_back(std::move(wrong));
  }
  /// Adds the mutant only if its first algorithm variant differs, for this k, from every variant of the contract.
  template <class Change>
  void add_programs(const std::string& name, Change change) {
    DotNeighbour wrong{name, right_};
    change(wrong.contract);
    if (!ways(right_).contains(way_of(dot_programs(wrong.contract, k_).front()))) all.push_back(std::move(wrong));
  }
  void y(const std::string& name, const Steps& steps) {
    if (text_of(steps) != text_of(right_.y)) add(name, [&](DotNeighbour& wrong) { wrong.contract.y = steps; });
  }

  std::vector<DotNeighbour> all;

 private:
  using Way = std::pair<int64_t, int64_t>;  ///< promotion interval and part length
  /// Promoting every n products without other steps gives the same sums as split-K parts of n products.
  Way way_of(const DotProgram& program) const {
    return program.part >= k_ && program.promote > 0 ? Way(0, program.promote) : Way(program.promote, program.part);
  }
  std::set<Way> ways(const DotContract& contract) const {
    std::set<Way> found;
    for (const DotProgram& program : dot_programs(contract, k_)) found.insert(way_of(program));
    return found;
  }
  const DotContract& right_;
  int64_t k_;
};

/// Mutants that read OCP fp8 codes as fnuz codes, or the reverse.
void edit_codes(const DotContract& right, Edits& edits);
/// Mutants of the steps after the sum: scales and roundings.
void edit_y(const DotContract& right, const Format& y, Edits& edits);
void edit_bias(const DotContract& right, const Format& y, Edits& edits);
/// Mutants for the diagnosis only (`suspect`): a scale divides the result instead of multiplying it; c or the bias is subtracted.
void edit_slips_of_y(const DotContract& right, bool with_bias, Edits& edits);

}  // namespace assay::dot

namespace assay {

// GEMMs with an undocumented kernel or instruction. An element is right if some algorithm variant of one of several contracts
// computes it.

/// The registry entry of this op kind.
const Flow& dot_unknown_flow();

/// A contract whose `members` are the contracts that the row names. Throws TableError at the cell if one is no GEMM, if its
/// formats, scales or results differ from the row's, or if Replay does not support its instruction.
DotContract read_unknown_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units);

/// Accepted intervals of D: the smallest that contain the results of all variants of all members (units/unit_recordings.h).
class UnknownDotRows {
 public:
  UnknownDotRows(const DotContract& contract, const DotInputs& inputs, const Format& y);

  Spans values(const DotBlock& block) const;

  /// Tells whether an interval of element i of a block (row by row) contains what is looked for.
  using Holds = std::function<bool(size_t i, Span interval)>;
  /// Like values(), but evaluates the variants of an element only until the union of their intervals holds: further variants
  /// could only widen it. An element that does not hold gets the interval of values(). Most outputs of a kernel hold under the
  /// first variant, so this takes a fraction of the time of values().
  Spans values_until(const DotBlock& block, const Holds& holds) const;

 private:
  struct Program {
    size_t member;
    DotRows rows;
  };
  std::vector<Program> programs_;
};

/// The only mutant that inputs must expose for contracts with an undocumented kernel or instruction. Elements have wide intervals
/// there, which may contain the results of every other mutant.
inline constexpr const char* kDemandedOfSpans = "y: gain 105/100";

/// Mutants of the steps after the sum and of the format of codes. An undocumented kernel has no mutants of its instruction.
std::vector<DotNeighbour> unknown_neighbours(const DotContract& contract);

}  // namespace assay
