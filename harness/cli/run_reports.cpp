#include "harness/cli/run_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "harness/cli/places.h"
#include "harness/diagnosis/visibility.h"
#include "harness/report/failure_groups.h"
#include "harness/run/run_case.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {

// The version of this program: ci/cmake/commit.cmake generates both definitions at every build.

extern const char* const kVersion;
extern const char* const kCommit;  ///< commit hash, with "+edited" if the tree has uncommitted changes; "unknown" outside git

Reports::Reports(const std::vector<std::string>& texts, const Shard& shard) {
  std::map<std::string, std::string> files;
  std::string renamed;
  bool asked = false, to_stream = false;  // if a report goes to standard output, nothing else is printed there
  for (const std::string& text : texts) {
    ReportRequest request = parse_report(text);
    asked |= request.kind == ReportKind::kConsole;
    if (request.kind == ReportKind::kGithub) requests_.push_back(request);
    if (request.file.empty()) continue;
    const bool is_stream =
        request.file.starts_with("/dev/") || request.file.starts_with("/proc/") || std::filesystem::is_fifo(request.file);
    to_stream |= is_stream;
    if (!is_stream && shard.path(request.file) != request.file) {
      request.file = shard.path(request.file);
      renamed += (renamed.empty() ? "" : ", ") + request.file;
    }
    try {
      require_writable(request.file);
    } catch (const std::system_error& error) {
      throw UsageError("--report " + text + ": " + error.what());
    }
    std::error_code unresolved;
    const std::filesystem::path file = std::filesystem::weakly_canonical(request.file, unresolved);
    const auto [first, is_new] = files.emplace(unresolved ? request.file : file.string(), text);
    if (!is_new && !is_stream)
      throw UsageError("--report " + text + ": writes the same file as --report " + first->second);
    if (!is_stream) named_.insert(request.file);
    requests_.push_back(std::move(request));
  }
  if (!renamed.empty())
    std::fprintf(stderr, "assay: share %s: reports are written to %s\n", shard.text().c_str(), printable(renamed).c_str());
  to_console_ = asked || !to_stream;
}

/// Formulas and recipes of the contracts that have a verdict.
static ContractTexts contract_texts(const RunResult& result) {
  ContractTexts texts;
  for (const Verdict& verdict : result.verdicts) {
    if (!verdict.offered || verdict.contract.empty() || texts.contains(verdict.contract)) continue;
    ContractText& text = texts[verdict.contract];
    try {
      text.formulas = contract_lines(verdict.contract);
      for (const auto& [column, cell] : rulebook().contracts.find(verdict.contract).cells) text.cells[column] = cell.text;
    } catch (const std::out_of_range&) {  // a tensor core instruction has formulas, but no recipes
    }
  }
  return texts;
}

void Reports::write_github(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) const {
  std::printf("%s", github_annotations(result, workspace_of_job()).c_str());
  const char* const summary = std::getenv("GITHUB_STEP_SUMMARY");
  if (summary == nullptr || *summary == '\0') {
    std::fprintf(stderr, "assay: --report github: GITHUB_STEP_SUMMARY is not set, so only annotations were written\n");
    return;
  }
  std::ofstream file(summary, std::ios::app);
  file << markdown_text(result, library, provenance);
  if (!file.flush()) throw std::runtime_error(std::string("--report github: cannot append to GITHUB_STEP_SUMMARY, ") + summary);
}

bool Reports::write(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                    const EarlierRun* earlier) const {
  bool all = true;
  const bool has_html =
      std::any_of(requests_.begin(), requests_.end(), [](const ReportRequest& one) { return one.kind == ReportKind::kHtml; });
  const ContractTexts contracts = has_html ? contract_texts(result) : ContractTexts();
  for (const ReportRequest& request : requests_) {
    try {
      if (request.kind == ReportKind::kGithub) {
        write_github(result, library, provenance);
        continue;
      }
      write_reports({request}, result, library, provenance, earlier, contracts);
      if (named_.contains(request.file)) std::printf("wrote %s\n", printable(request.file).c_str());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "assay: %s\n", printable(error.what()).c_str());
      all = false;
    }
  }
  return all;
}

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

/// Adds the environment variables that change which cases are checked or which code runs.
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
             {"rerun_failed", std::to_string(arguments.rerun_failed)},
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
  provenance.options = {{"baseline", arguments.baseline},
                        {"same_bits", arguments.same_bits ? "yes" : "no"},
                        {"strict", arguments.strict ? "yes" : "no"}};
  add_list(provenance.options, "target", arguments.targets);
  add_selection(provenance.options, arguments.selection);
  provenance.options.push_back({"data", data_root()});
  add_environment(provenance.options);
  return provenance;
}

Provenance provenance_of(const ProbeArguments& arguments) { return begun(arguments.command, "", arguments.suites.tables); }

Provenance provenance_of(const SignoffArguments& arguments) {
  return begun(arguments.command, arguments.ledger, arguments.suites.tables);
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
      provenance.evidence +=
          fmt::format("{}{} {}", provenance.evidence.empty() ? fmt::format("of {} contracts checked: ", judged.size()) : ", ",
                      known[kind], kind);
}

std::string add_verdicts_of_tables(const Suites& suites, const Selection& selection, bool is_whole,
                                   const std::vector<Case>& cases, const Ledger& ledger, RunResult& result) {
  if (suites.tables.cases.empty()) return "";
  Selection others = selection;  // the selection without --suite options that name a whole op, all of whose cases run
  std::erase_if(others.suites, [&](const std::string& suite) {
    return std::any_of(suites.ops->all().begin(), suites.ops->all().end(), [&](const Op& op) { return op.name == suite; });
  });
  if (!others.everything() || !is_whole || !result.ended_by.empty() || !result.harness_error.empty())
    return "only some cases of the case table ran, so it was not checked which mutants the table exposes";
  for (Verdict& verdict : untrusted_tables(suites.ops->all(), cases, result.verdicts)) {
    ledger.expect(verdict);
    result.verdicts.push_back(std::move(verdict));
  }
  return "";
}

std::string excuses_text(const Suites& suites, const std::string& table_note, const std::vector<Case>& cases,
                         const RunResult& result) {
  if (suites.tables.cases.empty() || !table_note.empty()) return "";
  std::string text;
  for (const TableExcuses& one : excuses_of_tables(suites.ops->all(), cases, result.verdicts)) {
    if (!one.excused.empty()) text += "excused by blind_to: " + excused_words(one) + "\n";
    if (!one.idle.empty()) text += fmt::format("{}: {}\n", one.contract, idle_globs_words(one));
  }
  return text;
}

void add_stale_rows(const Suites& suites, const Ledger& ledger, const std::vector<Case>& all, bool strict, RunResult& result) {
  result.rejects_stale_rows = strict;
  if (suites.tables.cases.empty()) result.stale_rows = ledger.stale(result.verdicts, all, suites.ops->all());
}

void print_ending(const RunResult& result, const Shown& shown, const std::string& details) {
  std::printf("%s%s%s", failures_text(result, shown, wants_colour(STDOUT_FILENO)).c_str(), summary_text(result, shown).c_str(),
              details.c_str());
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[sizeof "YYYY-MM-DD"];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

// Repeats the first failure of each cause without earlier calls. A kernel that keeps state between calls, such as a cache by
// shape, may fail in a run and pass when its repro line is run.

namespace {

/// Time limits: after kSecondsInAll no further failure is repeated; a repeated call longer than kSecondsOfCall counts as hung.
constexpr double kSecondsInAll = 10, kSecondsOfCall = 10;
constexpr size_t kMostFailures = 6;
/// Limits of the search for the earlier call that causes a failure: kMostAlone cases one by one, then the last kMostTogether together.
constexpr size_t kMostAlone = 8, kMostTogether = 64;

/// Runs cases of one kernel in new processes.
class Repeats {
 public:
  Repeats(const OpRegistry& ops, const std::vector<Case>& cases, const CaseOptions& each, const RunArguments& arguments,
          const std::function<bool()>& ended)
      : ops_(ops), cases_(cases), arguments_(arguments), ended_(ended) {
    options_.repeat = each.repeat, options_.ladder = each.ladder, options_.schedule_seed = each.schedule_seed;
  }

  bool has_time() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count() < kSecondsInAll && !ended_();
  }

  /// The outcome of `failed` in a new process after the calls of these cases. Nothing if the kernel cannot be called there.
  std::optional<Outcome> outcome_after(const std::vector<std::string>& earlier, const Verdict& failed) const {
    const Backend fresh = open_backend(
        ops_, {arguments_.backend, false, std::min(kSecondsOfCall, arguments_.timeout_seconds), ended_});
    const auto kernel = std::find_if(fresh.library.kernels.begin(), fresh.library.kernels.end(),
                                     [&](const KernelOffer& one) { return one.name == failed.kernel; });
    if (kernel == fresh.library.kernels.end()) return std::nullopt;
    for (const std::string& id : earlier)
      if (const Case* one = find(id)) (void)run_case(ops_.find(one->op), *one, *kernel, fresh, {});
    const Case* const one = find(failed.case_id);
    if (one == nullptr) return std::nullopt;
    return run_case(ops_.find(one->op), *one, *kernel, fresh, options_).outcome;
  }

 private:
  const Case* find(const std::string& id) const {
    const auto found = std::find_if(cases_.begin(), cases_.end(), [&](const Case& one) { return one.id == id; });
    return found == cases_.end() ? nullptr : &*found;
  }

  const OpRegistry& ops_;
  const std::vector<Case>& cases_;
  const RunArguments& arguments_;
  const std::function<bool()>& ended_;
  CaseOptions options_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

bool fails(const std::optional<Outcome>& outcome) { return outcome == Outcome::kFail || outcome == Outcome::kBroken; }

/// The cases in this range of the result for which the kernel was called, in order.
std::vector<std::string> cases_of(const RunResult& result, const std::string& kernel, size_t first, size_t end) {
  std::vector<std::string> ids;
  for (size_t i = first; i < end; ++i) {
    const Verdict& one = result.verdicts[i];
    if (one.kernel == kernel && one.outcome != Outcome::kSkip && one.outcome != Outcome::kNotJudged) ids.push_back(one.case_id);
  }
  return ids;
}

/// For a failure that does not occur alone: tells in its message whether it occurs after one earlier case, after many, or after none of those tried.
void name_earlier_calls(const Repeats& repeats, const RunResult& result, size_t place, Verdict& verdict) {
  const std::vector<std::string> before = cases_of(result, verdict.kernel, 0, place);
  // Several threads generate inputs, so a case that is later in the table may have been called earlier.
  std::vector<std::string> others(before.rbegin(), before.rbegin() + std::ptrdiff_t(std::min(before.size(), kMostAlone / 2)));
  for (const std::string& id : cases_of(result, verdict.kernel, place + 1, result.verdicts.size()))
    if (others.size() < kMostAlone) others.push_back(id);
  const auto say = [&](const std::string& words) {
    verdict.message += (verdict.message.empty() ? "" : "; ") + ("passes alone in a new process" + words);
  };
  for (const std::string& earlier : others) {
    if (!repeats.has_time()) break;
    if (!fails(repeats.outcome_after({earlier}, verdict))) continue;
    const size_t at = verdict.repro.find(" --case ");
    if (at != std::string::npos) verdict.repro.insert(at, " --case " + shell_word(earlier));
    return say(" and fails after " + earlier + ": the kernel keeps state between calls");
  }
  const size_t some = std::min(kMostTogether, before.size());
  if (some > 1 && repeats.has_time() &&
      fails(repeats.outcome_after({before.end() - std::ptrdiff_t(some), before.end()}, verdict)))
    return say(fmt::format(" and fails after the {} earlier calls, {} to {}: the kernel keeps state between calls", some,
                           before[before.size() - some], before.back()));
  say(": the failure depends on earlier calls" + (before.empty() ? std::string() : ", the last of " + before.back()) +
      ", or is not reproducible");
}

}  // namespace

void repeat_alone(const OpRegistry& ops, const std::vector<Case>& cases, const CaseOptions& each, const RunArguments& arguments,
                  const std::function<bool()>& ended, RunResult& result) {
  const Repeats repeats(ops, cases, each, arguments, ended);
  size_t repeated = 0;
  for (const FailureGroup& group : failures_by_cause(result)) {
    Verdict& verdict = result.verdicts[group.first()];
    if (!fails(verdict.outcome) || as_expected(verdict) || (verdict.climb && verdict.climb->broken == "calls")) continue;
    if (repeated++ == kMostFailures || !repeats.has_time()) return;
    try {
      if (repeats.outcome_after({}, verdict) != Outcome::kPass) continue;
      name_earlier_calls(repeats, result, group.first(), verdict);
    } catch (const std::exception&) {
      return;  // the library cannot be opened again
    }
  }
}

}  // namespace assay
