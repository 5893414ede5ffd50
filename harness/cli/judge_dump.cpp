// assay judge FILE --contract C: checks a user's tensors, identified by role, against a contract.
#include <fmt/format.h>

#include "harness/check/judge_tensors.h"
#include "harness/cli/dumped_files.h"
#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/reports.h"
#include "harness/core/missing_role.h"
#include "harness/run/run.h"
#include "harness/text/printable.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

std::string command_line(const JudgeArguments& arguments) {
  std::string line = "assay judge";
  for (const std::string& file : arguments.suites.tables.contracts) line += " --contracts " + shell_word(file);
  for (const std::string& target : arguments.targets) line += " " + shell_word(target);
  line += " --contract " + shell_word(arguments.contract);
  for (const std::string& parameter : arguments.parameters) line += " --param " + shell_word(parameter);
  for (const std::string& tensor : arguments.tensors) line += " --tensor " + shell_word(tensor);
  return line + (arguments.layout.empty() ? "" : " --layout " + shell_word(arguments.layout));
}

int judge_case(const JudgeArguments& arguments, const DumpedCall& call, const Reports& reports, Provenance provenance) {
  const TensorsVerdict judged = judge_tensors(call, command_line(arguments), WithPower::kNo);
  fmt::print("{}", tensors_text(judged));
  RunResult all;
  all.verdicts.push_back(judged.verdict);
  provenance.ended = utc_now();
  add_evidence(provenance, all);
  if (!reports.write(all, LibraryInfo{}, provenance) && all.exit_code() == kAllAsExpected) return kHarnessFailed;
  return all.exit_code();
}

}  // namespace

int judge_dump(const JudgeArguments& arguments) {
  const Reports reports(arguments.reports);
  open_contracts(arguments.suites);
  Provenance provenance = provenance_of(arguments);
  const std::map<std::string, std::string> parameters = named_values("--param", arguments.parameters);
  const Op& op = arguments.suites.ops->of_contract(arguments.contract, parameters);
  if (!op.case_of_dump)
    throw UsageError("dumps of op " + op.name + " cannot be checked; record its calls with assay run --record");
  const DumpedFiles files = gather({arguments.targets, arguments.tensors}, {&op});
  try {
    const DumpedCall call = dumped_call(op, {arguments.contract, files.roles, parameters, arguments.layout});
    return judge_case(arguments, call, reports, std::move(provenance));
  } catch (const MissingRole& missing) {
    throw UsageError(missing.what() + files.what_there_is(missing.role));
  }
}

}  // namespace assay
