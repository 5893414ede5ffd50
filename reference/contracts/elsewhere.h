// Contracts whose implementation runs neither on sm_90 nor on a CPU. Evidence can be demanded for all others.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/rows.h"

namespace assay {

class ElsewhereTable {
 public:
  /// Reads elsewhere.csv: contracts separated by |, where a leading or trailing * matches anything. Throws TableError: an unknown
  /// contract, or a missing need or reason.
  static ElsewhereTable load(const std::string& file, const ContractTables& contracts);

  /// The GPU that a contract's implementation needs, or why there is none; empty if an sm_90 or a CPU runs it.
  std::string needs(const std::string& contract) const;

 private:
  struct Entry {
    std::vector<std::string> contracts;
    std::string needs;
  };
  std::vector<Entry> entries_;
};

}  // namespace assay
