// What the case tables of an op lack: values that a kernel may branch on, and that none of its cases has though the op takes them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

struct Lack {
  std::string column, what;  ///< "n", "an odd number"
  Case witness;              ///< the smallest case of the op, with the cell that is missing

  /// "op rms_norm, column n: no case has an odd number; for example a row with contract=... m=1"
  std::string text(const Op& op) const;
};

/// Of the cases of one op. Rules:
/// 1. A size column has 1, an odd number, and a number beside each power of two up to 256 (rows) or 8192 (columns): within an eighth.
/// 2. A column of fills has every fill that suits its operand (FillInfo::suits).
/// 3. Every other column has two values.
/// 4. Each two of the columns that are no fills have each two of their values, where sizes are told apart as 1, odd and even.
/// A rule asks only for what the op takes and a kernel of ours offers: a cell of a case is exchanged, and then the case is tried.
std::vector<Lack> lacks_of(const Op& op, const std::vector<Case>& cases, const std::function<bool(const Case&)>& offered);

}  // namespace assay
