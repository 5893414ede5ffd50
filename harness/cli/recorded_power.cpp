#include "harness/cli/recorded_power.h"

#include <fmt/format.h>

#include <set>

#include "harness/cli/places.h"
#include "harness/core/blocks.h"
#include "harness/diagnosis/visibility.h"
#include "suites/registry.h"
#include "suites/rows_read.h"

namespace assay {

PowerRecords recorded_power(const std::vector<Case>& cases, const std::string& folder) {
  return PowerRecords::read(folder.empty() ? data_root() + "/golden/power" : folder, cases, rows_read_by);
}

std::map<std::string, Power> powers_of(const OpRegistry& ops, const std::vector<Case>& cases, const PowerRecords& records, size_t& computed) {
  std::map<std::string, Power> all;
  std::vector<std::pair<const Case*, Power*>> missing;
  for (const Case& one : cases) {
    const auto [place, is_new] = all.try_emplace(one.data_id());
    if (!is_new) continue;
    if (const Power* const known = records.find(one))
      place->second = *known;
    else
      missing.push_back({&one, &place->second});
  }
  for_each_in_parallel(int64_t(missing.size()), [&](int64_t i) {
    const auto [one, power] = missing[size_t(i)];
    *power = power_to_record(*ops.find(one->op).bind(*one), one->blind_to);
  });
  computed = missing.size();
  return all;
}

std::string power_sources(const std::vector<Case>& cases, const RunResult& result, const PowerRecords& records) {
  std::set<std::string> judged;
  for (const Verdict& verdict : result.verdicts)
    if (!verdict.power.data.empty()) judged.insert(data_id(verdict.case_id));
  const size_t all = judged.size();
  size_t recorded = 0;
  for (const Case& one : cases)
    if (judged.erase(one.data_id()) > 0) recorded += records.find(one) != nullptr;
  return fmt::format("of {} data sets: {} recorded, {} computed", all, recorded, all - recorded);
}

}  // namespace assay
