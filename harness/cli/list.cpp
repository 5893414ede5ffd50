#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <set>

#include "harness/cli/call_text.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/text/error.h"
#include "suites/registry.h"

namespace assay {
namespace {

struct Counts {
  std::map<std::string, size_t> tiers;
  std::set<std::string> contracts;
};

/// One line per op instead of thousands of ids.
void print_summary(const std::vector<Case>& cases) {
  std::vector<std::string> ops;
  std::map<std::string, Counts> by_op;
  for (const Case& one : cases) {
    if (!by_op.contains(one.op)) ops.push_back(one.op);
    Counts& counts = by_op[one.op];
    ++counts.tiers[one.tier];
    if (const auto contract = one.parameters.find("contract"); contract != one.parameters.end()) counts.contracts.insert(contract->second);
  }
  size_t width = 0;
  for (const std::string& op : ops) width = std::max(width, op.size());
  for (const std::string& op : ops) {
    std::string tiers;
    for (const auto& [tier, count] : by_op[op].tiers) tiers += fmt::format("{}{} {}", tiers.empty() ? "" : ", ", count, tier);
    fmt::print("{:<{}}  {:>3} contracts  {}\n", op, width, by_op[op].contracts.size(), tiers);
  }
  fmt::print("{} cases of {} ops; their ids: assay list --suite OP[/TIER], --case GLOB or --all\n", cases.size(), ops.size());
}

}  // namespace

int list_verb(const ListArguments& arguments) {
  if (arguments.suites.tables.cases.empty() && !arguments.suites.tables.op.empty()) {
    const std::vector<Case> all = open_cases(arguments.suites);
    std::printf("%s", op_text(arguments.suites.ops->find(arguments.suites.tables.op), all).c_str());
    return kAllAsExpected;
  }
  const std::vector<Case> cases = open_selected_cases(arguments.suites, arguments.selection);
  if (arguments.selection.everything() && arguments.suites.tables.cases.empty() && !arguments.all) {
    print_summary(cases);
    return kAllAsExpected;
  }
  for (const Case& one : cases) std::printf("%s\n", one.id.c_str());
  return kAllAsExpected;
}

}  // namespace assay
