#include "harness/golden/golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>

#include "harness/cli/places.h"
#include "harness/cli/power.h"
#include "harness/cli/regenerate.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/verbs.h"
#include "harness/diagnosis/visibility.h"
#include "harness/report/progress_report.h"
#include "harness/run/run.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/casts/cast_profile.h"
#include "reference/casts/cast_runs.h"
#include "reference/flow/flow.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

std::string runs_text(const CastProfile& profile) {
  const int digits = profile.from->bits / 4, code_digits = (profile.format->bits + 3) / 4;
  std::string text = "first,last,code\n";
  for (const CodeRun& run : runs_of(profile))
    text += fmt::format("{:0{}x},{:0{}x},{:0{}x}\n", run.first, digits, run.last, digits, run.code, code_digits);
  return text;
}

/// How a file differs from the expected text; empty if it does not.
std::string flaw_of_file(const std::string& file, const std::string& now) {
  try {
    const std::optional<LineDifference> found = first_difference(read_text(file), now);
    return found ? fmt::format("line {}: has '{}', the reference gives '{}'", found->line, found->a, found->b) : "";
  } catch (const TableError& error) {
    return error.problem();
  }
}

}  // namespace

std::map<std::string, std::string> cast_runs(const std::string& root) {
  std::map<std::string, std::string> files;
  for (const ContractRow& row : rulebook().contracts.rows())
    if (row.flow == &cast_flow()) files[root + "/casts/" + row.id + ".csv"] = runs_text(read_cast(row));
  return files;
}

void check_cast_runs(const std::string& root, const std::function<void(const std::string&, const std::string&)>& say) {
  const std::map<std::string, std::string> files = cast_runs(root);
  for (const auto& [file, now] : files)
    if (const std::string flaw = flaw_of_file(file, now); !flaw.empty()) say(file, flaw);
  if (!fs::is_directory(root + "/casts")) return;
  for (const auto& entry : fs::directory_iterator(root + "/casts")) {
    if (entry.path().extension() != ".csv") continue;  // e.g. a temporary file that a killed program left
    if (const std::string file = root + "/casts/" + entry.path().filename().string(); !files.contains(file))
      say(file, "belongs to no cast contract");
  }
}

namespace {

namespace fs = std::filesystem;

std::string golden_root(const GoldenArguments& arguments) {
  return arguments.folder.empty() ? data_root() + "/golden" : arguments.folder;
}

/// True if libassay_hip_runtime.so executed code objects on the CPU: its device name then contains this text.
bool is_executed(const ObservedOn& seen) { return seen.device.find(" executed on the CPU by ") != std::string::npos; }

/// Device, driver, toolkit and date as text. A host library has no driver, no toolkit and possibly no device.
std::string seen_on(const ObservedOn& seen) {
  if (is_executed(seen)) return printable(seen.device + ", " + seen.date);
  std::string text = seen.device.empty() ? seen.arch : seen.device;
  if (!seen.driver.empty()) text += ", driver " + seen.driver;
  if (!seen.toolkit.empty()) text += ", CUDA " + seen.toolkit;
  return printable(text + ", " + seen.date);
}

/// Runs the cases on a back end and returns, by op, the outputs of the calls that pass.
std::map<std::string, Golden> observed_now(std::vector<Case> cases, const GoldenArguments& arguments) {
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  if (ignores_warp(backend.library)) cases = each_data_once(std::move(cases));
  const ObservedOn provenance{backend.library.arch, backend.library.device, backend.library.driver, backend.library.toolkit,
                              today()};
  std::map<std::string, Golden> by_op;
  std::mutex mutex;
  RunOptions options;
  const Ledger ledger = arguments.ledger.empty() ? Ledger() : Ledger::read(arguments.ledger);
  options.ledger = &ledger;
  options.each.record = [&](const Evidence& evidence, const Verdict& verdict) {
    if (!evidence.outputs || verdict.outcome != Outcome::kPass) return;
    auto tensors = observe(evidence.bound.expect(evidence.problem, nullptr), *evidence.outputs);
    const std::lock_guard lock(mutex);
    Golden& golden = by_op.try_emplace(evidence.one.op, Golden{"observed", evidence.one.op, provenance, {}, {}}).first->second;
    golden.observed[evidence.one.id][verdict.kernel] = std::move(tensors);
  };
  ProgressReport progress(cases.size());
  options.on_verdict = [&](const Verdict& verdict) { progress.step(verdict); };
  const RunResult result = run_all(arguments.suites.ops->all(), cases, backend, options);
  if (result.device_lost) throw std::runtime_error("the device was lost; nothing was written");
  if (const int64_t bad = result.unexpected(); bad > 0)
    throw std::runtime_error(
        fmt::format("{} verdict{} not as expected; nothing was written; --ledger FILE.csv allows listed failures; assay known "
                    "write --from REPORT.json writes such a list",
                    bad, bad == 1 ? " is" : "s are"));
  return by_op;
}

/// Prints what is wrong with golden files, one file a line, and counts these lines.
struct Complaints {
  int64_t count = 0;
  void add(const std::string& file, const std::string& what) {
    ++count;
    std::printf("%s: %s\n", file.c_str(), what.c_str());
  }
};

void check_predicted(const OpRegistry& ops, const std::string& root, const std::vector<Case>& cases, Complaints& complaints) {
  for (const auto& [op, now] : predicted_now(ops, cases)) {
    const std::string file = root + "/predicted/" + op + ".json";
    const Golden written = read_golden(file);
    for (const auto& [id, tensors] : now.predicted) {
      const auto found = written.predicted.find(id);
      if (found == written.predicted.end())
        complaints.add(file, id + ": is not in the file");
      else if (found->second != tensors)
        complaints.add(file, id + ": the reference now accepts other codes than the file");
    }
    for (const auto& [id, tensors] : written.predicted)
      if (!now.predicted.contains(id)) complaints.add(file, id + ": is no longer a case");
    std::printf("%s: %zu cases\n", file.c_str(), written.predicted.size());
  }
}

/// `only`: the ops whose files are checked; empty: all.
void check_observed(const OpRegistry& ops, const std::string& root, const std::vector<Case>& cases,
                    const std::vector<std::string>& only, Complaints& complaints) {
  std::map<std::string, const Case*> by_id;
  for (const Case& one : cases) by_id[one.id] = &one;
  std::vector<fs::directory_entry> archs;
  for (const char* folder : {"/observed", "/executed"})
    if (fs::is_directory(root + folder))
      archs.insert(archs.end(), fs::directory_iterator(root + folder), fs::directory_iterator());
  for (const auto& arch : archs) {
    for (const auto& entry : fs::directory_iterator(arch)) {
      const std::string file = entry.path().string();
      if (entry.path().extension() != ".json") continue;  // e.g. a temporary file that a killed program left
      const Golden golden = read_golden(file);
      if (is_executed(golden.provenance) != (arch.path().parent_path().filename() == "executed"))
        complaints.add(
            file,
            "wrong folder: outputs of code executed on the CPU belong in golden/executed, outputs of a chip in golden/observed");
      if (!only.empty() && std::find(only.begin(), only.end(), golden.op) == only.end()) continue;
      ProgressReport progress(golden.observed.size(), "recorded cases");
      for (const auto& [id, kernels] : golden.observed) {
        progress.step(id);
        if (!by_id.contains(id)) {
          complaints.add(file, id + ": is no longer a case");
          continue;
        }
        const Case& one = *by_id[id];
        const std::unique_ptr<const BoundCase> bound = ops.find(one.op).bind(one);
        const Problem problem = bound->problem();
        Expectation expectation;  // computed once for all kernels
        for (const Answer& answer : bound->expect(problem, nullptr).any_of) {
          expectation.any_of.push_back(expectation_of(computed(answer)).any_of.front());
          expectation.any_of.back().program = answer.program;
        }
        for (const auto& [kernel, tensors] : kernels)
          if (const std::string why = disagreement(tensors, expectation); !why.empty())
            complaints.add(file, id + " " + kernel + ": " + why);
      }
      progress.clear();
      std::printf("%s: %zu cases observed on %s\n", file.c_str(), golden.observed.size(), seen_on(golden.provenance).c_str());
    }
  }
}

/// Checks golden/power: each data set has a record that was computed from the current tables, and scores that are recomputed for
/// a sample equal their records.
void check_power(const OpRegistry& ops, const std::string& root, const std::vector<Case>& cases,
                 const std::optional<uint64_t>& seed, Complaints& complaints) {
  constexpr double kSample = 5;  // percent
  const std::string folder = root + "/power";
  const PowerRecords records = recorded_power(cases, folder);
  for (const std::string& stray : records.strays()) complaints.add(stray, "belongs to no case of the current tables");
  for (const Case& one : sample_of_data(cases, 100, 0))
    if (records.find(one) == nullptr)
      complaints.add(folder, one.id + ": has no mutation score for the current tables; try assay golden write");
  const std::vector<Case> sample = sample_of_data(cases, seed ? kSample : 100, seed.value_or(0));
  ProgressReport progress(sample.size(), "data sets");
  const auto compute = [&](const Case& one) {
    progress.step(one.data_id());
    return power_to_record(*ops.find(one.op).bind(one), one.blind_to);
  };
  for (const std::string& change : changed_power(records, sample, compute))
    complaints.add(folder,
                   change + "; if that is intended, raise kPowerEvaluator (harness/golden/golden.h) and run assay golden write");
  progress.clear();
  std::printf("%s: %zu data sets, %zu of them recomputed\n", folder.c_str(), records.size(), sample.size());
}

}  // namespace

int golden_verb(const GoldenArguments& arguments) {
  if (arguments.action == "diff") return golden_diff(arguments);
  std::vector<std::string> suites;
  for (const std::string& op : arguments.ops) suites.push_back(op + "/quick");
  if (suites.empty()) suites = {"quick"};
  const std::vector<Case> cases = open_selected_cases(arguments.suites, {.suites = suites, .cases = {}, .arch = {}, .warp = {}});
  const std::string root = golden_root(arguments);
  if (arguments.action == "check") {
    Complaints complaints;
    const auto wants = [&](const char* part) { return arguments.part.empty() || arguments.part == part; };
    if (wants("predicted")) check_predicted(*arguments.suites.ops, root, cases, complaints);
    if (wants("observed")) check_observed(*arguments.suites.ops, root, cases, arguments.ops, complaints);
    if (wants("power")) check_power(*arguments.suites.ops, root, cases, arguments.sample, complaints);
    if (wants("casts"))
      check_cast_runs(root, [&](const std::string& file, const std::string& what) { complaints.add(file, what); });
    if (complaints.count == 0) std::printf("golden files agree\n");
    return complaints.count == 0 ? kAllAsExpected : kUnexpected;
  }
  if (arguments.backend.empty())
    return regenerate_verb({.golden = root, .parts = {"predicted", "power", "casts"}, .suites = arguments.suites});
  const auto observed = observed_now(cases, arguments);
  if (observed.empty()) throw UsageError("back end " + arguments.backend + " ran no quick case");
  for (const auto& [op, golden] : observed) {
    const std::string file =
        root + (is_executed(golden.provenance) ? "/executed/" : "/observed/") + golden.provenance.arch + "/" + op + ".json";
    write_golden(file, golden);
    std::printf("wrote %s: %zu cases\n", file.c_str(), golden.cases());
  }
  return kAllAsExpected;
}

}  // namespace assay
