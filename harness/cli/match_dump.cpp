// assay contracts match FILE...: finds the contracts that a user's tensors obey, and the algorithm that made a GEMM.
#include <fmt/format.h>

#include <map>

#include "harness/check/match_tensors.h"
#include "harness/cli/dumped_files.h"
#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/text/error.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

std::vector<const Op*> ops_with_dumps(const OpRegistry& registry, const std::string& only) {
  std::vector<const Op*> ops;
  for (const Op& op : registry.all())
    if (op.case_of_dump && (only.empty() || op.name == only)) ops.push_back(&op);
  if (ops.empty())
    throw UsageError("dumps of op " + registry.find(only).name + " cannot be checked; record its calls with assay run --record");
  return ops;
}

}  // namespace

int match_dump(const ContractsArguments& arguments) {
  open_contracts(arguments.suites);
  const std::map<std::string, std::string> parameters = named_values("--param", arguments.parameters);
  const std::vector<const Op*> ops = ops_with_dumps(*arguments.suites.ops, arguments.op);
  const DumpedFiles files = gather({arguments.ids, arguments.tensors}, ops);
  const MatchedContracts matched = match_tensors(ops, files.roles, parameters, arguments.layout);
  fmt::print("{}", match_text(matched));
  if (!matched.asked.empty()) return kAllAsExpected;
  fmt::print("NOTHING HELD: the tensors fit no contract{}\n",
             arguments.op.empty() ? "" : " of op " + arguments.op);
  return kUsageOrNothingRan;
}

}  // namespace assay
