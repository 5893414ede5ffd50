// Mutants of GEMM contracts, and contracts whose instruction nobody knows.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reference/flow/dot/dot_predict.h"

namespace assay {

// Single-step mistakes of a GEMM: of its unit, of its row, and of what it reads.

/// A contract with one cell edited; some edits are what no row may say.
struct DotNeighbour {
  std::string name;  ///< "unit sum: align(13) -> align(12)", "promote: every(128) -> none"
  DotContract contract;
};

/// Every edit whose programs are not those of the contract itself for that k. `y`: the format of the result.
std::vector<DotNeighbour> dot_neighbours(const DotContract& contract, const UnitTable& units, int64_t k, const Format& y,
                                         bool with_bias);

/// Inputs that somebody reads in the wrong place: other inputs for the same contract.
struct DotMisreading {
  std::string name;  ///< "b: read as [k, n]"
  DotInputs (*read)(const DotInputs& right, int64_t products);
  int64_t products = 0;  ///< of a misreading of k how many are left out, of one of tiles their rows
};

/// Those of zero points.
void add_azp_misreadings(const DotInputs& right, std::vector<DotMisreading>& all);
/// Those of scales.
void add_scale_misreadings(const DotInputs& right, std::vector<DotMisreading>& all);

/// Those that change what is read for this shape, of scales too. `unit_k`: products of an instruction; `tile_k`: of a tile of k,
/// or 0.
std::vector<DotMisreading> dot_misreadings(const DotInputs& right, int64_t unit_k, int64_t tile_k);

}  // namespace assay

namespace assay::dot {

// The edits of one GEMM as they are collected: those of its unit and sums (dot_mutants.cpp) and of its result
// (edits_of_result.cpp).

using Steps = std::vector<CellStep>;

/// Edits of a contract for one k.
class Edits {
 public:
  Edits(const DotContract& right, int64_t k) : right_(right), k_(k) {}

  template <class Change>
  void add(const std::string& name, Change change) {
    DotNeighbour wrong{name, right_};
    change(wrong);
    all.push_back(std::move(wrong));
  }
  /// Adds the edit only if its first program differs, for this k, from every program of the contract.
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
  using Way = std::pair<int64_t, int64_t>;  ///< promotion and part
  /// Promotion every n products without a join is the same as parts of n products.
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

/// Edits that read OCP fp8 codes as fnuz, or fnuz as OCP.
void edit_codes(const DotContract& right, Edits& edits);
/// Edits of scales and roundings after the sum.
void edit_y(const DotContract& right, const Format& y, Edits& edits);
void edit_bias(const DotContract& right, const Format& y, Edits& edits);

}  // namespace assay::dot

namespace assay {

// GEMMs whose kernel, or whose unit, nobody knows: an element is right if a program of some contracts may have made it.

/// The row of the registry.
const Flow& dot_unknown_flow();

/// A contract whose `members` are those that the row names. Throws TableError at the cell: what is no GEMM, and members of
/// other formats, scales or results than the row's, or whose units cannot be replayed.
DotContract read_unknown_dot(const ContractRow& row, const ContractTables& contracts, const UnitTable& units);

/// Elements of D as hulls of what the programs of all members may make of them (units/replay.h).
class UnknownDotRows {
 public:
  UnknownDotRows(const DotContract& contract, const DotInputs& inputs, const Format& y);

  Spans values(const DotBlock& block) const;

 private:
  std::vector<DotRows> programs_;
};

/// What data of such contracts must show: spans alone judge them, and some data hide everything in them.
inline constexpr const char* kDemandedOfSpans = "y: gain 105/100";

/// Single-step mistakes of what follows the sum, and of how codes are read; those of a unit are none of a kernel that nobody
/// knows.
std::vector<DotNeighbour> unknown_neighbours(const DotContract& contract);

}  // namespace assay
