// Single-step edits of a contract: what it would be with one mistake. They measure a data set's power, tell whether a case can
// fail at all, and are the hypotheses of the diagnosis. Nothing here knows a contract, a fault or a kernel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reference/contracts/bind.h"

namespace assay {

class EditedRow;

/// Edits that ops treat differently from others. Names of edits are for people; nothing is decided by them.
enum class EditKind : uint8_t {
  kOther,
  kRoundingOfResult,  ///< of y to the format of x: another rounding, one more or none
  kNoPowerOfTwo,      ///< a scale is not rounded to a power of two
  kPartOfHead,        ///< which numbers of a head are rotated; none where all are
};

struct Neighbour {
  std::string name;  ///< "scale: pow2(ceil) -> pow2(floor)"; `to(x)#2` is the second step of that text in its cell
  Contract contract;
  std::vector<std::shared_ptr<const EditedRow>> rows;  ///< of its links, as edited: what neighbours_of() goes on from
  /// The diagnosis asks for it, and no data need tell it apart: another contract rather than a mistake, or a mistake that only
  /// data made for it show.
  bool suspect = false;
  EditKind kind = EditKind::kOther;
  size_t right_links = SIZE_MAX;  ///< so many of the first are the contract's own
};

/// Edits of every cell of every row of the contract: drop a step, swap a verb, take the next constant that a sibling row uses,
/// round once more, exchange neighbours of an addition, take eps outside the root; and of what the flow takes together: amax over
/// two groups or half of one, a range over half of one, the sum over nothing or half a row, ten times eps, one plus the weight.
/// No two have one name.
std::vector<Neighbour> neighbours(const ContractTables& tables, const std::string& id, const Format& x);

/// The contract with no mistake in it.
Neighbour unedited(const ContractTables& tables, const std::string& id, const Format& x);

/// One mistake more: edits of the steps that the first one left as they were. Names are those of the second edit alone, as it is
/// called in the contract without the first.
std::vector<Neighbour> neighbours_of(const ContractTables& tables, const Neighbour& first, const Format& x);

}  // namespace assay
