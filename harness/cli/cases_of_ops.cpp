#include "harness/cli/cases_of_ops.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "harness/cli/places.h"
#include "harness/text/printable.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Whether one of these names, if there are any, may be of that op or of any.
bool may_name(const OpRegistry& ops, const std::vector<std::string>& names, const std::string& op) {
  const auto may = [&](const std::string& name) {
    const std::string begin = name.substr(0, name.find('/'));
    return begin == op || std::none_of(ops.all().begin(), ops.all().end(), [&](const Op& one) { return one.name == begin; });
  };
  return names.empty() || std::any_of(names.begin(), names.end(), may);
}

/// Case::run_options of all cases.
std::string options_of(const UserTables& tables) {
  std::string options;
  for (const std::string& file : tables.contracts) options += " --contracts " + shell_word(file);
  for (const std::string& file : tables.cases) options += " --cases " + shell_word(file);
  if (!tables.op.empty()) options += " --op " + shell_word(tables.op);
  return options;
}

}  // namespace

std::vector<Case> open_cases_of(const Suites& suites, std::span<const Op> ops) {
  open_contracts(suites);
  const UserTables& tables = suites.tables;
  std::vector<Case> cases;
  for (const std::string& file : tables.cases)
    for (Case& one : load_own_cases(suites.ops->all(), read_text(file), file, tables.op)) cases.push_back(std::move(one));
  if (tables.cases.empty()) cases = load_cases(ops, data_root());
  if (const std::string options = options_of(tables); !options.empty())
    for (Case& one : cases) one.run_options = options;
  return cases;
}

std::vector<Case> open_cases_for(const Suites& suites, const Selection& selection) {
  std::vector<Op> ops;
  for (const Op& op : suites.ops->all())
    if (may_name(*suites.ops, selection.suites, op.name) && may_name(*suites.ops, selection.cases, op.name)) ops.push_back(op);
  // What no op can hold, and what --arch may be, is said with all cases at hand.
  if (ops.empty() || ops.size() == suites.ops->all().size() || !selection.arch.empty() || !suites.tables.cases.empty())
    return open_cases(suites);
  return open_cases_of(suites, ops);
}

}  // namespace assay
