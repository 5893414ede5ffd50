// Mutants of a contract: the contract with a single mistake. They measure what a data set can detect, and are the hypotheses of
// the diagnosis. This code contains no contract, fault or kernel.
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
  std::string name;  ///< "scale: pow2(ceil) -> pow2(floor)"; `to(x)#2` is the second step with that text in its cell
  Contract contract;
  std::vector<std::shared_ptr<const EditedRow>> rows;  ///< its edited rows; neighbours_of() continues from them
  /// Used only by the diagnosis, and no data need kill it: a different contract rather than a mistake, or a mistake that only
  /// special data show.
  bool suspect = false;
  EditKind kind = EditKind::kOther;
  size_t right_links = SIZE_MAX;  ///< so many of the first are the contract's own
};

/// Mutants of every cell of every row of the contract: drop a step, replace a step, use another row's constant, round once more,
/// swap operands of an addition, move eps out of the root. Also mutants of what the op kind combines: amax over two groups or
/// half a group, a range over half a group, a sum over nothing or half a row, ten times eps, one plus the weight. Names are
/// unique.
std::vector<Neighbour> neighbours(const ContractTables& tables, const std::string& id, const Format& x);

/// The unmodified contract.
Neighbour unedited(const ContractTables& tables, const std::string& id, const Format& x);

/// Pairs of mistakes: mutants of the steps that the first one left unchanged. They are named after the second edit alone, as it
/// is named in the unmodified contract.
std::vector<Neighbour> neighbours_of(const ContractTables& tables, const Neighbour& first, const Format& x);

}  // namespace assay
