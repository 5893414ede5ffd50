#include "harness/cli/recorded_power.h"

#include <fmt/format.h>

#include <set>

#include "harness/cli/places.h"
#include "suites/rows_read.h"

namespace assay {

PowerRecords recorded_power(const std::vector<Case>& cases, const std::string& folder) {
  return PowerRecords::read(folder.empty() ? data_root() + "/golden/power" : folder, cases, rows_read_by);
}

std::string power_sources(const std::vector<Case>& cases, const RunResult& result, const PowerRecords& records) {
  std::set<std::string> judged;
  for (const Verdict& verdict : result.verdicts)
    if (!verdict.power.data.empty()) judged.insert(data_id(verdict.case_id));
  const size_t all = judged.size();
  size_t recorded = 0;
  for (const Case& one : cases)
    if (judged.erase(one.data_id()) > 0) recorded += records.find(one) != nullptr;
  return fmt::format("of {} data sets: {} recorded, {} reckoned", all, recorded, all - recorded);
}

}  // namespace assay
