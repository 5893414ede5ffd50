// What the verbs of witnesses share.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/verbs.h"
#include "harness/witness/witness.h"
#include "reference/table/table.h"

namespace assay {

/// golden/witness in the data folder.
std::string witness_folder();
/// Files of the folders that the arguments name, or of witness_folder(), of the contracts that they ask for. Throws UsageError.
std::vector<std::string> files_of(const WitnessArguments& arguments);

/// Calls that no witness keeps, each with the reason: left_out.csv of a folder, globs over row and call.
class LeftOut {
 public:
  explicit LeftOut(const std::string& folder);
  bool has(const std::string& contract, const std::string& call) const;
  std::string text() const;  ///< rows of a table in Markdown

 private:
  Table table_;
};

}  // namespace assay
