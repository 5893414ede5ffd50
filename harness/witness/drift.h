// What became of a row in another release of its implementation, called on the inputs of the row's witness.
#pragma once

#include <string>
#include <vector>

#include "harness/witness/judge.h"

namespace assay {

struct Drift {
  std::string contract, release;  ///< the row, and the package whose outputs were judged
  int64_t elements = 0, outside = 0;
  std::string against;             ///< the first input that shows it, and what it gave; empty while the row is obeyed
  bool same_bits = false;          ///< as the witness that is committed
  bool is_new = false;             ///< there is none
  std::vector<std::string> rows;   ///< others that allow every output; looked for only if the row does not
  std::vector<std::string> edits;  ///< mutants of the row that do, where no other row does

  /// "same bits", "obeys", "obeys, other bits", "12 of 512 differ: vllm.x", "...: div(s) -> mul(1/s)", "...: no row or edit".
  std::string text() const;
};

/// `committed`: the witness of the row, or nullptr. `contracts`: the rows that the outputs are compared with if their own fails.
Drift drift_of(const Op& op, const Witness& release, const Witness* committed, const std::vector<std::string>& contracts);

/// Markdown: rows by releases, then a line for each row that a release does not obey.
std::string drift_table(const std::vector<Drift>& drifts);

}  // namespace assay
