#include "harness/cli/recorded_power.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/cli/build_stamp.h"
#include "harness/cli/places.h"
#include "harness/text/digest.h"
#include "reference/table/table.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// The tables that answers and their edits are made from, sorted.
std::vector<fs::path> tables_of_answers() {
  const fs::path root = data_root();
  std::vector<fs::path> tables = {root / "suites/equivalent.csv"};
  for (const auto& entry : fs::directory_iterator(root / "reference/contracts"))
    if (entry.path().extension() == ".csv") tables.push_back(entry.path());
  std::sort(tables.begin(), tables.end());
  return tables;
}

}  // namespace

std::string made_of() {
  std::string text = kSourcesOfAnswers;
  for (const fs::path& table : tables_of_answers())
    text.append("\n").append(table.filename()).append(" ").append(digest_text(read_text(table)));
  return digest_text(text);
}

std::set<std::string> ops_of(const std::vector<Case>& cases) {
  std::set<std::string> ops;
  for (const Case& one : cases) ops.insert(one.op);
  return ops;
}

PowerRecords recorded_power(const std::vector<Case>& cases) {
  if (!more_contracts().empty()) return {};
  return PowerRecords::read(data_root() + "/golden/power", made_of(), ops_of(cases));
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
