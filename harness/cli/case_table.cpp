#include "harness/cli/case_table.h"

#include "harness/diagnosis/visibility.h"
#include "harness/text/printable.h"

namespace assay {

std::string case_table(const Op& op, const Case& one, const std::string& why) {
  std::string header = "op,", row = csv_cell(op.name) + ",";
  for (const std::string& column : op.columns) {
    header += column + ",";
    row += csv_cell(one.text(column)) + ",";
  }
  std::string blind;
  for (const Visibility& seen : visibilities(*op.bind(one)))
    if (seen.equivalent.empty() && !seen.visible()) blind += (blind.empty() ? "" : "; ") + seen.fault;
  return header + "why,blind_to\n" + row + csv_cell(why) + "," + csv_cell(blind) + "\n";
}

}  // namespace assay
