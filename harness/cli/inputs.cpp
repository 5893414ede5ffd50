// assay inputs: inputs of cases as files; assay judge DIR: outputs that any program wrote beside them.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>

#include "harness/check/case_files.h"
#include "harness/check/suite_case.h"
#include "harness/cli/cases_of_ops.h"
#include "harness/cli/judge.h"
#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/recorded_power.h"
#include "harness/cli/reports.h"
#include "harness/core/blocks.h"
#include "harness/report/console.h"
#include "harness/report/reconcile.h"
#include "harness/text/error.h"
#include "harness/text/printable.h"
#include "suites/registry.h"

namespace assay {
namespace {

/// A case of which one folder holds inputs.
struct CaseInFolder {
  const Case* one;
  std::string folder;
};

std::vector<CaseInFolder> cases_in(const std::vector<std::string>& folders, const std::vector<Case>& cases) {
  std::map<std::string, const Case*> by_id;
  for (const Case& one : cases) by_id[one.id] = &one;
  std::vector<CaseInFolder> found;
  for (const std::string& folder : folders)
    for (const std::string& id : read_case_list(folder)) {
      if (const auto known = by_id.find(id); known != by_id.end())
        found.push_back({known->second, folder});
      else
        std::fprintf(stderr, "assay: %s: case %s is in no table of this program, or not selected; left out\n", folder.c_str(),
                     printable(id).c_str());
    }
  return found;
}

Verdict verdict_on(const OpRegistry& ops, const CaseInFolder& entry, const PowerRecords& power) {
  try {
    const SuiteCase one(ops.find(entry.one->op), *entry.one, power.find(*entry.one));
    return one.judge(read_case_outputs(entry.folder, entry.one->id), "outputs", entry.folder).verdict;
  } catch (const std::exception& error) {
    Verdict none = blank_verdict(*entry.one, "outputs", entry.folder);
    none.message = std::string("no verdict: ") + error.what();
    return none;
  }
}

}  // namespace

int inputs_verb(const InputsArguments& arguments) {
  if (std::filesystem::exists(arguments.output)) throw UsageError("--output " + arguments.output + ": is there already");
  const std::vector<Case> cases = open_selected_cases(arguments.suites, arguments.selection);
  std::vector<std::string> ids;
  size_t left_out = 0;
  for (const Case& one : cases) {
    try {
      write_case_inputs(arguments.output, SuiteCase(arguments.suites.ops->find(one.op), one, nullptr));
      ids.push_back(one.id);
    } catch (const UsageError& error) {
      ++left_out;
      std::fprintf(stderr, "assay: left out: %s\n", error.what());
    }
  }
  if (ids.empty()) throw UsageError("no selected case has inputs that files can hold");
  write_case_list(arguments.output, ids);
  fmt::print("wrote inputs of {} cases{}; write outputs.safetensors into each folder, then: assay judge {}\n", ids.size(),
             left_out > 0 ? fmt::format(", {} left out", left_out) : "", shell_word(arguments.output));
  return kAllAsExpected;
}

int judge_outputs_of_inputs(const JudgeArguments& arguments) {
  Provenance provenance = provenance_of(arguments);
  const Reports reports(arguments.reports);
  const std::vector<Case> cases = open_selected_cases(arguments.suites, arguments.selection);
  const std::vector<CaseInFolder> all = cases_in(arguments.targets, cases);
  std::vector<CaseInFolder> entries;
  for (const CaseInFolder& entry : all) {
    if (std::filesystem::exists(outputs_file(entry.folder, entry.one->id)))
      entries.push_back(entry);
    else
      std::fprintf(stderr, "assay: missing: %s\n", outputs_file(entry.folder, entry.one->id).c_str());
  }
  const PowerRecords power = recorded_power(cases);
  RunResult result;
  result.verdicts.resize(entries.size());
  for_each_in_parallel(int64_t(entries.size()),
                       [&](int64_t i) { result.verdicts[size_t(i)] = verdict_on(*arguments.suites.ops, entries[size_t(i)], power); });
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  const bool colour = wants_colour(STDOUT_FILENO);
  for (Verdict& verdict : result.verdicts) {
    ledger.expect(verdict);
    if (reports.to_console() && !as_expected(verdict)) std::printf("%s\n", coloured(failure_text(verdict), colour).c_str());
  }
  reconcile(result);
  provenance.ended = utc_now();
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, power);
  const bool all_written = reports.write(result, LibraryInfo{}, provenance);
  std::printf("%s%s", reports.to_console() ? summary_text(result).c_str() : "", coloured(outcome_line(result), colour).c_str());
  const size_t missing = all.size() - entries.size();
  if (missing > 0) std::printf("BUT INCOMPLETE: %zu of %zu cases have no outputs.safetensors\n", missing, all.size());
  const ExitCode code = result.exit_code();
  if (code != kAllAsExpected) return code;
  if (missing > 0) return kUnexpected;
  return all_written ? kAllAsExpected : kHarnessFailed;
}

}  // namespace assay
