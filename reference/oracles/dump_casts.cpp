// Prints the runs of every cast profile, for comparison with implementations in other languages. Output: a line `cast ID SOURCE
// FORMAT UNTIL` (UNTIL is "-" if the row has none), then `first last code` for each run, in hexadecimal.
// Usage: dump_casts
#include <cstdio>

#include "reference/casts/cast_profile.h"
#include "reference/casts/cast_runs.h"
#include "reference/contracts/contract_rows.h"
#include "reference/flow/flow.h"

namespace assay {
namespace {

void print(const ContractRow& row) {
  const CastProfile profile = read_cast(row);
  const std::string until = row.text("until");
  std::printf("cast %s %s %s %s\n", profile.id.c_str(), std::string(profile.from->name).c_str(),
              std::string(profile.format->name).c_str(), until.empty() ? "-" : until.c_str());
  for (const CodeRun& run : runs_of(profile))
    std::printf("%llx %llx %x\n", static_cast<unsigned long long>(run.first), static_cast<unsigned long long>(run.last),
                run.code);
}

}  // namespace
}  // namespace assay

int main() {
  const assay::Table table = assay::read_table("reference/contracts/casts.csv");
  for (const assay::TableRow& row : table.rows)
    assay::print(assay::ContractRow::read(table, row, assay::cast_flow(), table.columns));
}
