// Rows whose implementation neither an sm_90 nor a CPU can run: of the others evidence can be asked for.
#pragma once

#include <string>
#include <vector>

#include "reference/contracts/rows.h"

namespace assay {

class ElsewhereTable {
 public:
  /// Reads elsewhere.csv: contracts with | between them, where a * at the beginning or the end stands for anything. Throws
  /// TableError: a contract that no row has, or a need or reason that is missing.
  static ElsewhereTable load(const std::string& file, const ContractTables& contracts);

  /// The chip that a row's implementation needs, or why there is none; empty if an sm_90 or a CPU runs it.
  std::string needs(const std::string& contract) const;

 private:
  struct Entry {
    std::vector<std::string> contracts;
    std::string needs;
  };
  std::vector<Entry> entries_;
};

}  // namespace assay
