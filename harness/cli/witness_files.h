// Shared by the sub-verbs of `assay witness`.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/verbs.h"
#include "harness/witness/witness.h"
#include "reference/table/table.h"

namespace assay {

/// golden/witness in the data folder.
std::string witness_folder();
/// Files of the given folders, or of witness_folder(), for the requested contracts. Throws UsageError.
std::vector<std::string> files_of(const WitnessArguments& arguments);

/// Calls that are not recorded, with reasons: left_out.csv of a folder, with globs over contract and call.
class LeftOut {
 public:
  explicit LeftOut(const std::string& folder);
  bool has(const std::string& contract, const std::string& call) const;
  std::string text() const;  ///< rows of a Markdown table

 private:
  Table table_;
};

}  // namespace assay
