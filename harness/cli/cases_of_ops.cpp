#include "harness/cli/cases_of_ops.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "harness/cli/places.h"
#include "harness/run/run_case.h"
#include "harness/text/printable.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Whether one of the names may belong to the op; true if there are no names.
bool may_name(const std::vector<std::string>& names, const std::string& op) {
  const auto may = [&](const std::string& name) {
    const std::string begin = name.substr(0, name.find('/'));
    const std::span<const Op> ops = all_ops();
    return begin == op || std::none_of(ops.begin(), ops.end(), [&](const Op& one) { return one.name == begin; });
  };
  return names.empty() || std::any_of(names.begin(), names.end(), may);
}

/// Options that a repro line needs besides the case's id.
std::string options_of_tables() {
  std::string needs;
  for (const std::string& file : more_contracts()) needs += " --contracts " + shell_word(file);
  for (const std::string& file : own_cases().files) needs += " --cases " + shell_word(file);
  if (!own_cases().op.empty()) needs += " --op " + shell_word(own_cases().op);
  return needs;
}

}  // namespace

std::vector<Case> open_cases_of(std::span<const Op> ops) {
  const std::string root = data_root();
  open_rulebook(root, more_contracts());
  std::vector<Case> cases;
  const OwnCases& own = own_cases();
  for (const std::string& file : own.files)
    for (Case& one : load_own_cases(all_ops(), read_text(file), file, own.op)) cases.push_back(std::move(one));
  if (own.files.empty()) cases = load_cases(ops, root);
  options_of_repro() = options_of_tables();
  return cases;
}

std::vector<Case> open_cases_for(const Selection& selection) {
  std::vector<Op> ops;
  for (const Op& op : all_ops())
    if (may_name(selection.suites, op.name) && may_name(selection.cases, op.name)) ops.push_back(op);
  // An unknown name or --arch needs all cases, for a complete error message.
  if (ops.empty() || ops.size() == all_ops().size() || !selection.arch.empty() || !own_cases().files.empty())
    return open_cases();
  return open_cases_of(ops);
}

}  // namespace assay
