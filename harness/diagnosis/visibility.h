// Whether a case could show a fault: the answer of a single-step edit of the contract, held against what the contract accepts.
#pragma once

#include <string>
#include <vector>

#include "harness/core/op.h"

namespace assay {

struct Visibility {
  std::string fault;       ///< name of the edit
  std::string equivalent;  ///< why no data can tell it apart; empty for a real fault
  int64_t elements = 0;    ///< in all outputs
  int64_t outside = 0;     ///< that no legal kernel could return; 0: this data is blind to the fault

  bool visible() const { return outside > 0; }
};

/// Every neighbour of the case's contract, judged from the inputs of the case's excerpt alone.
std::vector<Visibility> visibilities(const Op& op, const Case& one);

/// Faults that the case cannot see, without the true equivalences.
std::vector<std::string> blind_faults(const Op& op, const Case& one);

}  // namespace assay
