// assay judge DIR...: verdicts on recorded outputs. Works like a run, except that calls are read from files.
#include "harness/cli/judge.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include "harness/check/judge_tensors.h"
#include "harness/check/suite_case.h"
#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/supervisor.h"
#include "harness/core/op.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/dump/dump.h"
#include "harness/dump/lint.h"
#include "harness/report/causes.h"
#include "harness/report/console.h"
#include "harness/report/verdict_text.h"
#include "harness/run/run.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Names on stderr each selected case that no recording has; returns their number. Call it only if cases were selected; otherwise it is
/// unknown which cases a recording should contain. Of a library that ignores the warp size, one recorded case stands for both warp sizes.
size_t report_missing(const std::vector<Case>& cases, const std::vector<RecordedCase>& entries) {
  std::set<std::string> there, once;
  for (const RecordedCase& entry : entries) {
    there.insert(entry.one->id);
    if (entry.recorded.front().first->run.once) once.insert(entry.one->data_id());
  }
  size_t missing = 0;
  for (const Case& one : cases) {
    if (there.contains(one.id) || once.contains(one.data_id())) continue;
    ++missing;
    std::fprintf(stderr, "assay: missing: no recording has the case %s\n", one.id.c_str());
  }
  return missing;
}

}  // namespace

int judge_recordings(const JudgeArguments& arguments) {
  Provenance provenance = provenance_of(arguments);
  const Reports reports(arguments.reports);
  RunHistory history(arguments);
  const std::vector<Recording> recordings = open_recordings(arguments.targets);
  const std::vector<Case> cases = open_selected_cases(arguments.suites, arguments.selection);
  const std::vector<RecordedCase> entries = recorded_cases(recordings, cases);

  const bool colour = wants_colour(STDOUT_FILENO);
  end_on_signals();
  const PowerRecords power = recorded_power(cases);
  RunResult result = judge_recorded(*arguments.suites.ops, entries, power,
                                    [&](const Evidence& evidence, const Verdict& verdict) { history.note(evidence, verdict); },
                                    diagnosis_budget(arguments.diagnose));
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  for (Verdict& verdict : result.verdicts) {
    ledger.expect(verdict);
    result.device_lost |= verdict.device_lost;
  }
  const std::vector<std::string> gaps = gaps_of(recordings);
  const std::string table_note =
      add_verdicts_of_tables(arguments.suites, arguments.selection, gaps.empty(), cases, ledger, result);
  reconcile(result, exposed_by_data(arguments.suites.ops->all(), cases));
  const size_t missing = arguments.selection.everything() ? 0 : report_missing(cases, entries);
  for (const std::string& gap : gaps) std::fprintf(stderr, "assay: missing: %s\n", gap.c_str());
  const LibraryInfo& library = recordings.front().library;
  provenance.ended = utc_now();
  add_evidence(provenance, result);
  provenance.power = power_sources(cases, result, power);
  provenance.ended_early = result.ended_by;
  bool all_written = reports.write(result, library, provenance);
  std::string identities;
  for (const Recording& recording : recordings)
    if (const std::string& id = recording.run.identity.id; !id.empty()) identities += (identities.empty() ? "" : " ") + id;
  all_written = history.add(result, library, provenance, identities) && all_written;
  if (reports.to_console())
    print_ending(result, arguments.shown, idle_rows_text(ledger, result) + provenance_text(provenance, library));
  std::printf("%s", excuses_text(arguments.suites, table_note, cases, result).c_str());
  if (const std::string levels = untried_levels_text(result); !levels.empty()) std::printf("%s\n", levels.c_str());
  std::printf("%s", coloured(outcome_line(result), colour).c_str());
  if (!result.ended_by.empty()) return exit_code_of_ending();
  if (!table_note.empty()) std::printf("%s\n", table_note.c_str());
  if (missing > 0) std::printf("BUT INCOMPLETE: %zu selected cases are in no recording\n", missing);
  for (const std::string& gap : gaps) std::printf("BUT INCOMPLETE: %s\n", gap.c_str());
  const ExitCode code = result.exit_code();
  if (code != kAllAsExpected) return code;
  if (missing > 0 || !gaps.empty()) return kUnexpected;
  return all_written ? kAllAsExpected : kHarnessFailed;
}

// assay judge FILE --contract C: checks a user's tensors, identified by role, against a contract.
namespace {

/// The command line that applies another verb to the same tensors.
std::string with_same_tensors(const std::string& verb, const JudgeArguments& arguments) {
  std::string line = verb;
  for (const std::string& file : arguments.suites.tables.contracts) line += " --contracts " + shell_word(file);
  for (const std::string& target : arguments.targets) line += " " + shell_word(target);
  if (!arguments.contract.empty() && verb == "assay judge") line += " --contract " + shell_word(arguments.contract);
  for (const std::string& parameter : arguments.parameters) line += " --param " + shell_word(parameter);
  for (const std::string& tensor : arguments.tensors) line += " --tensor " + shell_word(tensor);
  return line + (arguments.layout.empty() ? "" : " --layout " + shell_word(arguments.layout));
}

/// A note that the group size was inferred, if the user did not state it and the contract allows several sizes; else empty.
std::string group_note(const DumpedCall& call, const std::map<std::string, std::string>& parameters) {
  const Case& one = call.dump.one;
  const auto group = one.parameters.find("group_size");
  if (group == one.parameters.end() || parameters.contains("group_size")) return "";
  const std::string last = chain_of(rulebook().contracts.find(one.text("contract"))).back();
  const std::string all = rulebook().contracts.find(last).text("group");
  if (all.find('|') == std::string::npos) return "";
  return fmt::format(
      "  note      group size {} (of {}) follows from the shape of the scales; to use another: --param group_size=N\n",
      group->second, all);
}

/// The rows with wrong elements, if at least three quarters of their elements are wrong and at least half of all rows are right; else "".
std::string whole_rows(const TensorFinding& finding) {
  constexpr int64_t kFewestColumns = 4;
  if (!finding.picture || finding.picture->rows_outside.many() || finding.shape[1] < kFewestColumns) return "";
  const std::set<int64_t>& rows = finding.picture->rows_outside.all();
  const auto count = int64_t(rows.size());
  // a row that was not written still holds old values, and some of them may be right by chance
  if (count == 0 || 2 * count > finding.shape[0] || 4 * finding.outside < 3 * count * finding.shape[1]) return "";
  return fmt::format("row{} {}", count == 1 ? "" : "s", runs_text(rows));
}

/// For a failure that no mutant of the contract explains: a fact about the wrong elements, and a command to run next.
std::string next_text(const JudgeArguments& arguments, const DumpedRoles& roles, const Op& op, const Verdict& verdict) {
  if (verdict.outcome != Outcome::kFail || verdict.causes.empty()) return "";
  const bool unknown = verdict.causes.front().starts_with("no known cause");
  if (!unknown && !is_pattern(verdict.causes.front())) return "";
  for (const TensorFinding& finding : verdict.tensors) {
    if (!unknown) break;  // if a pattern explains the failure, it already says where a NaN comes from
    const auto tensor = roles.find(finding.name);
    if (finding.outside == 0 || !finding.name.starts_with("scale") || tensor == roles.end() || !std::isnan(finding.first.value))
      continue;
    const std::string file = tensor->second.file + (tensor->second.file.ends_with(".npy") ? "" : ":" + tensor->second.name);
    return fmt::format("  next      assay judge {} --as {} shows what may write a NaN into {}\n", shell_word(file),
                       finding.format == "e8m0" ? "ue8m0_scale" : "scale", finding.name);
  }
  for (const TensorFinding& finding : verdict.tensors)
    if (const std::string rows = whole_rows(finding); !rows.empty())
      return fmt::format(
          "  note      wrong elements are only in {0} of {1}: perhaps the kernel did not write them, kept the result of an earlier call, "
          "or overwrote them in a race\n"
          "  next      if the kernel is in a library: assay run --backend ./libmine.so --suite {2}/quick --ladder repeats "
          "the calls, also in other batches, and on memory filled with a pattern\n",
          rows, finding.name, op.name);
  if (!unknown) return "";
  return fmt::format("  next      {} counts the wrong elements under each contract that takes these tensors\n",
                     with_same_tensors("assay contracts match", arguments));
}

/// Prints the verdict on large tensors to stderr before the search for its cause, which may take seconds.
void told_first(const Verdict& verdict) {
  constexpr int64_t kLarge = int64_t{1} << 18;
  int64_t elements = 0;
  for (const TensorFinding& finding : verdict.tensors) elements += finding.elements;
  if (elements >= kLarge)
    std::fprintf(stderr, "assay: FAIL  %s: %s; now looking for its cause\n", printable(verdict.case_id).c_str(),
                 printable(headline(verdict)).c_str());
}

/// The result for one call of a dump.
struct JudgedCall {
  TensorsVerdict judged;
  std::string advice;  ///< lines below the verdict
};

JudgedCall judge_call(const JudgeArguments& arguments, const Op& op, const std::vector<std::string>& tensors,
                      const std::map<std::string, std::string>& parameters) {
  const DumpedFiles files = gather({arguments.targets, tensors}, {&op});
  try {
    const DumpRequest request{arguments.contract, files.roles, parameters, arguments.layout};
    const DumpedCall call = dumped_call(op, request);
    JudgeArguments as_given = arguments;
    as_given.tensors = tensors;
    const CauseSearch search{diagnosis_budget(arguments.diagnose), told_first};
    JudgedCall one{judge_tensors(call, with_same_tensors("assay judge", as_given), WithPower::kYes, search),
                   call.notes.empty() ? group_note(call, parameters) : ""};
    if (const Power& power = one.judged.verdict.power; power.faults > 0 && 2 * power.seen() < power.faults)
      one.advice +=
          "  note      a pass on these inputs says little, because they expose few mutants; assay inputs writes better inputs\n";
    add_other_contracts(op, request, one.judged);
    one.advice += next_text(as_given, files.roles, op, one.judged.verdict);
    return one;
  } catch (const MissingRole& missing) {
    throw UsageError(missing.what() + files.what_there_is(missing.role));
  }
}

/// The op of the contract; if several ops use the contract, the op that has most of these tensors.
const Op& op_of_dump(const JudgeArguments& arguments, const std::vector<std::string>& tensors,
                     const std::map<std::string, std::string>& parameters) {
  const std::vector<const Op*> all = arguments.suites.ops->all_of_contract(arguments.contract);
  const DumpedRoles roles = all.size() < 2 ? DumpedRoles() : gather({arguments.targets, tensors}, all).roles;
  return arguments.suites.ops->of_contract(arguments.contract, parameters, roles);
}

/// The value that most cases of the contract have in a column; empty if none has one.
std::string usual_value(const JudgeArguments& arguments, const Op& op, const std::string& column) {
  std::map<std::string, int> counts;
  std::string usual;
  for (const Case& one : open_cases_of(arguments.suites, {&op, 1})) {
    const auto cell = one.parameters.find(column);
    if (cell == one.parameters.end() || cell->second.empty() || one.text("contract") != arguments.contract) continue;
    if (++counts[cell->second] > counts[usual]) usual = cell->second;
  }
  return usual;
}

/// Adds to the message about a missing --param the value that most cases of the contract use.
std::string with_usual_value(const JudgeArguments& arguments, const Op& op, const std::string& message) {
  const std::string needs = "needs --param ";
  const size_t at = message.find(needs);
  if (at == std::string::npos) return message;
  const std::string column = message.substr(at + needs.size(), message.find('=', at) - at - needs.size());
  const std::string usual = usual_value(arguments, op, column);
  return usual.empty() ? message : fmt::format("{}; the usual value is --param {}={}", message, column, usual);
}

}  // namespace

int judge_dump(const JudgeArguments& arguments) {
  const Reports reports(arguments.reports);
  open_contracts(arguments.suites);
  Provenance provenance = provenance_of(arguments);
  const std::map<std::string, std::string> parameters = named_values("--param", arguments.parameters);
  const std::vector<StarredCall> calls = starred_calls(arguments.targets, arguments.tensors);
  const Op& op = op_of_dump(arguments, calls.front().tensors, parameters);
  if (!op.case_of_dump)
    throw UsageError("dumps of op " + op.name + " cannot be checked; record its calls with assay run --record");
  RunResult all;
  try {
    for (const StarredCall& call : calls) {
      if (!call.star.empty()) fmt::print("* = {}\n", call.star);
      JudgedCall one = judge_call(arguments, op, call.tensors, parameters);
      fmt::print("{}{}", tensors_text(one.judged), one.advice);
      if (!call.star.empty()) fmt::print("\n");
      if (!call.star.empty()) one.judged.verdict.kernel += ", * = " + call.star;
      all.verdicts.push_back(std::move(one.judged.verdict));
    }
  } catch (const MissingRole&) {
    throw;
  } catch (const UsageError& error) {
    throw UsageError(with_usual_value(arguments, op, error.what()));
  }
  if (calls.size() > 1) fmt::print("{}", outcome_line(all));
  provenance.ended = utc_now();
  add_evidence(provenance, all);
  if (!reports.write(all, LibraryInfo{}, provenance) && all.exit_code() == kAllAsExpected) return kHarnessFailed;
  return all.exit_code();
}

// assay judge FILE:TENSOR --as scale: checks a single scale tensor.

int judge_scale(const JudgeArguments& arguments) {
  if (arguments.targets.size() != 1)
    throw UsageError("--as " + arguments.as + " takes one tensor: FILE.safetensors:TENSOR or FILE.npy");
  open_contracts(arguments.suites);
  const NamedTensor named = open_tensor(arguments.targets.front());
  const std::map<std::string, std::string> stated = named_values("--param", arguments.parameters);
  const ScaleFacts facts(stated, named.dump.metadata, arguments.layout);
  if (!arguments.layout.empty() && (!facts.integer("m") || !facts.groups()))
    throw UsageError(
        "--layout " + arguments.layout +
        ": expected the number of rows and groups, which shows where padding begins; add --param m=ROWS --param groups=GROUPS");
  if (stated.contains("group_size") && !facts.groups())
    throw UsageError("--param group_size=" + stated.at("group_size") +
                     ": expected the number of columns or groups too; add --param n=COLUMNS (of x) or --param groups=GROUPS");
  const DumpedTensor dumped{{storage_spec(named.dump, named.tensor), read_bytes(named.dump, named.tensor)},
                            named.dump.file,
                            named.tensor.name,
                            named.tensor.dtype,
                            named.tensor.format == nullptr};
  ScaleGrid grid = scale_grid(dumped, facts);
  grid.powers_of_two = arguments.as == "ue8m0_scale";
  ScaleReport report = look_at_scales(grid);
  for (const StoredTensor& x : named.dump.tensors)
    if (x.name == "x" && x.format != nullptr)
      look_at_data(grid, group_maxima({storage_spec(named.dump, x), read_bytes(named.dump, x)}, grid), report);
  if (report.findings.empty() && grid.kind == ScaleKind::kFloats && grid.powers_of_two)
    report.notes.emplace_back(
        "the scales are powers of two, but not packed: a GEMM with packed UE8M0 scales reads int32 words of four scales; each byte "
        "is the exponent (fp32 bits >> 23) of one scale, group 0 in the lowest byte");
  std::printf("%s", scale_text(grid, report).c_str());
  return report.findings.empty() ? kAllAsExpected : kUnexpected;
}

std::map<std::string, std::string> named_values(const std::string& option, const std::vector<std::string>& texts) {
  std::map<std::string, std::string> values;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
      throw UsageError(option + " " + text + ": expected NAME=VALUE");
    if (!values.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      throw UsageError(option + " " + text + ": given twice");
  }
  return values;
}

NamedTensor open_tensor(const std::string& target) {
  refuse_torch_file(target);
  const std::string kind = ".safetensors:";
  const size_t colon = target.find(kind);
  Dump dump = open_dump(colon == std::string::npos ? target : target.substr(0, colon + kind.size() - 1));
  if (colon != std::string::npos) {
    StoredTensor tensor = dump.find(target.substr(colon + kind.size()));
    return {std::move(dump), std::move(tensor)};
  }
  if (dump.tensors.size() == 1) {
    StoredTensor only = dump.tensors.front();
    return {std::move(dump), std::move(only)};
  }
  std::string names;
  for (const StoredTensor& tensor : dump.tensors) names += (names.empty() ? "" : ", ") + tensor.name;
  throw UsageError(target + ": has " + std::to_string(dump.tensors.size()) + " tensors (" + names +
                   "); name one as FILE.safetensors:TENSOR");
}

int judge_checkpoint(const JudgeArguments& arguments) {
  const LintReport report = lint_checkpoint(arguments.targets);
  std::printf("%s", lint_text(report).c_str());
  return report.findings.empty() ? kAllAsExpected : kUnexpected;
}

/// Refuses options that this form of `assay judge` does not use.
static void refuse(const std::string& way, const std::vector<std::pair<const char*, bool>>& given) {
  for (const auto& [option, is_given] : given)
    if (is_given) throw UsageError("judge " + way + " does not use " + option + "; see: assay help judge");
}

static void refuse_unused(const JudgeArguments& given, bool folders) {
  const Selection& selection = given.selection;
  const std::vector<std::pair<const char*, bool>> of_recordings = {
      {"--ledger", !given.ledger.empty()},  {"--suite", !selection.suites.empty()},
      {"--case", !selection.cases.empty()}, {"--arch", !selection.arch.empty()},
      {"--warp", !selection.warp.empty()},  {"--cases", !given.suites.tables.cases.empty()},
      {"--history", !given.history.empty()}};
  if (given.lint) {
    refuse("--lint", {{"--as", !given.as.empty()},
                      {"--contract", !given.contract.empty()},
                      {"--param", !given.parameters.empty()},
                      {"--layout", !given.layout.empty()},
                      {"--tensor", !given.tensors.empty()},
                      {"--report", !given.reports.empty()}});
    refuse("--lint", of_recordings);
  } else if (!given.as.empty()) {
    refuse("--as",
           {{"--contract", !given.contract.empty()}, {"--tensor", !given.tensors.empty()}, {"--report", !given.reports.empty()}});
    refuse("--as", of_recordings);
  } else if (!given.contract.empty()) {
    refuse("--contract", of_recordings);
  } else if (folders) {
    refuse("of a recording",
           {{"--param", !given.parameters.empty()}, {"--tensor", !given.tensors.empty()}, {"--layout", !given.layout.empty()}});
  }
}

int judge_verb(const JudgeArguments& arguments) {
  const bool folders = std::all_of(arguments.targets.begin(), arguments.targets.end(),
                                   [](const std::string& target) { return std::filesystem::is_directory(target); });
  refuse_unused(arguments, folders);
  if (!arguments.as.empty()) return judge_scale(arguments);
  if (arguments.lint) return judge_checkpoint(arguments);
  const bool handed_out = folders && std::all_of(arguments.targets.begin(), arguments.targets.end(), has_case_inputs);
  if (handed_out) refuse("of inputs", {{"--history", !arguments.history.empty()}});
  if (handed_out && arguments.contract.empty()) return judge_outputs_of_inputs(arguments);
  if (folders && arguments.contract.empty()) return judge_recordings(arguments);
  if (arguments.contract.empty() && std::none_of(arguments.targets.begin(), arguments.targets.end(),
                                                 [](const std::string& one) { return std::filesystem::is_directory(one); }))
    throw UsageError(arguments.targets.front() + ": a dump needs --contract ID; to find the contract: " +
                     with_same_tensors("assay contracts match", arguments) +
                     "; a single scale tensor needs --as scale, or --as ue8m0_scale for UE8M0");
  if (arguments.contract.empty())
    throw UsageError(arguments.targets.front() +
                     ": expected a folder with a recording or with inputs and outputs, or files of tensors with --contract ID");
  return judge_dump(arguments);
}

}  // namespace assay
