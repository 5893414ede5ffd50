// Mutants of GEMM contracts, and contracts whose instruction is undocumented.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reference/flow/dot/dot_predict.h"

namespace assay {

// Single mistakes of a GEMM: in its instruction, its row, and the operands that it reads.

/// A contract with one modified cell; some mutants cannot be written as a row.
struct DotNeighbour {
  std::string name;  ///< such as "unit sum: align(13) -> align(12)", "promote: every(128) -> none"
  DotContract contract;
};

/// Every mutant whose algorithm variants differ from those of the contract for that k. `y`: format of the result.
std::vector<DotNeighbour> dot_neighbours(const DotContract& contract, const UnitTable& units, int64_t k, const Format& y,
                                         bool with_bias);

/// Mutants of a GEMM with sorted ids: where the router weight of a row is multiplied, if the case has any, and sums in bf16.
std::vector<DotNeighbour> router_neighbours(const DotContract& contract, int64_t k, const Format& y, bool with_bias,
                                            bool with_weights);

/// Operands that are read from the wrong place: other inputs for the same contract.
struct DotMisreading {
  std::string name;  ///< such as "b: read as [k, n]"
  DotInputs (*read)(const DotInputs& right, int64_t products);
  int64_t products = 0;  ///< number of elements along k that are left out, or of rows in a wrong tile
  bool suspect = false;  ///< only for the diagnosis: no data set has to show it
};

/// Misreadings of zero points.
void add_azp_misreadings(const DotInputs& right, std::vector<DotMisreading>& all);
/// Misreadings of scales.
void add_scale_misreadings(const DotInputs& right, std::vector<DotMisreading>& all);

/// Misreadings, including those of scales, that change the operands for this shape. `unit_k`: k of an instruction; `tile_k`: of a
/// tile along k, or 0.
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
  /// Promoting every n elements without a join is the same as parts of n elements.
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

/// Mutants that read OCP fp8 codes as fnuz, or fnuz as OCP.
void edit_codes(const DotContract& right, Edits& edits);
/// Mutants of scales and roundings after the sum.
void edit_y(const DotContract& right, const Format& y, Edits& edits);
void edit_bias(const DotContract& right, const Format& y, Edits& edits);

}  // namespace assay::dot

namespace assay {

// GEMMs with an undocumented kernel or instruction: an element is right if a variant of one of several contracts may have
// computed it.

/// The registry entry of this op kind.
const Flow& dot_unknown_flow();

/// A contract whose `members` are the contracts that the row names. Throws TableError at the cell for a row that is no GEMM,
/// members whose formats, scales or results differ from the row's, and members whose instruction cannot be replayed.
DotContract read_unknown_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units);

/// Elements of D as the union (hull) of the results of all members' variants (units/unit_recordings.h).
class UnknownDotRows {
 public:
  UnknownDotRows(const DotContract& contract, const DotInputs& inputs, const Format& y);

  Spans values(const DotBlock& block) const;

 private:
  struct Program {
    size_t member;
    DotRows rows;
  };
  std::vector<Program> programs_;
};

/// The one mutant that the data must kill for such contracts. Only intervals check their elements, and the intervals of some data
/// hide every other mistake.
inline constexpr const char* kDemandedOfSpans = "y: gain 105/100";

/// Mutants of the steps after the sum, and of how codes are read. An undocumented kernel has no mutants of its instruction.
std::vector<DotNeighbour> unknown_neighbours(const DotContract& contract);

}  // namespace assay
