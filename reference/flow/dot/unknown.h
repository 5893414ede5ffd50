// GEMMs whose kernel, or whose unit, nobody knows: an element is right if a program of some contracts may have made it.
#pragma once

#include "reference/flow/dot/edits.h"

namespace assay {

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
