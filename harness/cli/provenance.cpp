#include "harness/cli/provenance.h"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <map>
#include <set>

#include "harness/cli/build_stamp.h"
#include "harness/cli/places.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

void add_list(std::vector<Fact>& options, const std::string& name, const std::vector<std::string>& values) {
  for (const std::string& value : values) options.push_back({name, value});
}

void add_selection(std::vector<Fact>& options, const Selection& selection) {
  add_list(options, "suite", selection.suites);
  add_list(options, "case", selection.cases);
  if (!selection.arch.empty()) options.push_back({"arch", selection.arch});
  if (!selection.warp.empty()) options.push_back({"warp", selection.warp});
}

/// Environment variables that change what is checked or which code runs.
void add_environment(std::vector<Fact>& options) {
  for (const char* const name : {"ASSAY_DATA", "ASSAY_ISA", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"}) {
    if (const char* const value = std::getenv(name); value != nullptr && *value != '\0') options.push_back({name, value});
  }
}

Provenance begun(const std::vector<std::string>& command, const std::string& ledger, const UserTables& tables) {
  Provenance provenance = begin_provenance(kVersion, kCommit, command);
  provenance.ledger = stamp_of(ledger);
  for (const std::string& file : tables.contracts) provenance.tables.push_back(stamp_of(file));
  for (const std::string& file : tables.cases) provenance.tables.push_back(stamp_of(file));
  return provenance;
}

}  // namespace

Provenance provenance_of(const RunArguments& arguments, const Shard& shard) {
  Provenance provenance = begun(arguments.command, arguments.ledger, arguments.suites.tables);
  std::vector<Fact>& options = provenance.options;
  options = {{"backend", arguments.backend},
             {"kernel", arguments.kernel},
             {"repeat", std::to_string(arguments.repeat)},
             {"ladder", arguments.ladder ? "yes" : "no"},
             {"reckon_power", arguments.reckon_power ? "yes" : "no"},
             {"in_process", arguments.in_process ? "yes" : "no"},
             {"timeout", fmt::format("{:g}", arguments.timeout_seconds)}};
  add_selection(options, arguments.selection);
  options.push_back({"data", data_root()});
  add_environment(options);
  if (!shard.is_whole()) provenance.share = fmt::format("{} ({})", shard.text(), shard.source);
  return provenance;
}

Provenance provenance_of(const JudgeArguments& arguments) {
  Provenance provenance = begun(arguments.command, arguments.ledger, arguments.suites.tables);
  add_list(provenance.options, "target", arguments.targets);
  if (!arguments.contract.empty()) provenance.options.push_back({"contract", arguments.contract});
  add_selection(provenance.options, arguments.selection);
  provenance.options.push_back({"data", data_root()});
  add_environment(provenance.options);
  return provenance;
}

Provenance provenance_of(const GateArguments& arguments) {
  Provenance provenance = begun(arguments.command, arguments.ledger, arguments.suites.tables);
  provenance.options = {{"baseline", arguments.baseline}, {"same_bits", arguments.same_bits ? "yes" : "no"}};
  add_list(provenance.options, "target", arguments.targets);
  add_selection(provenance.options, arguments.selection);
  provenance.options.push_back({"data", data_root()});
  add_environment(provenance.options);
  return provenance;
}

void add_library(Provenance& provenance, const LibraryInfo& library) { provenance.library = stamp_of(library.path); }

void add_evidence(Provenance& provenance, const RunResult& result) {
  std::set<std::string> judged;
  for (const Verdict& verdict : result.verdicts)
    if (verdict.outcome != Outcome::kSkip && verdict.outcome != Outcome::kNotJudged) judged.insert(verdict.contract);
  std::map<std::string, int> known;
  for (const std::string& contract : judged) {
    const std::vector<EvidenceKind> evidence = rulebook().evidence_of(contract);
    ++known[evidence.empty() ? "without evidence" : name_of(evidence.front())];
  }
  for (const char* kind : {"ran", "executed", "read", "inferred", "without evidence"})
    if (known.contains(kind))
      provenance.evidence += fmt::format("{}{} {}", provenance.evidence.empty() ? fmt::format("of {} contracts judged: ", judged.size()) : ", ",
                                         known[kind], kind);
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[sizeof "YYYY-MM-DD"];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

}  // namespace assay
