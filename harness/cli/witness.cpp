#include "harness/witness/witness.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/cli/places.h"
#include "harness/cli/regenerate.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/verbs.h"
#include "harness/core/expectation.h"
#include "harness/report/progress_report.h"
#include "harness/run/run.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rulebook.h"

namespace assay {

// These functions are used by several actions of `assay witness`.

/// golden/witness in the data folder.
std::string witness_folder();
/// Files of the given folders, or of witness_folder(), for the requested contracts. Throws UsageError.
std::vector<std::string> files_of(const WitnessArguments& arguments);

/// Calls that are not recorded, with reasons: left_out.csv of a folder, with globs over contract and call.
class LeftOut {
 public:
  explicit LeftOut(const std::string& folder);
  bool has(const std::string& contract, const std::string& call) const;
  std::string text() const;  ///< rows of a Markdown table

 private:
  Table table_;
};

// assay witness keep: stores the outputs of a run in the repository if their contract accepts them.

std::string witness_folder() { return data_root() + "/golden/witness"; }

std::vector<std::string> files_of(const WitnessArguments& arguments) {
  std::vector<std::string> files;
  for (const std::string& target : arguments.targets.empty() ? std::vector<std::string>{witness_folder()} : arguments.targets)
    for (std::string& file : witness_files(target)) files.push_back(std::move(file));
  std::erase_if(files, [&](const std::string& file) {
    return !glob_match(arguments.contract, std::filesystem::path(file).stem().string());
  });
  if (files.empty()) throw UsageError("found no recorded outputs of a contract that matches " + arguments.contract);
  return files;
}

LeftOut::LeftOut(const std::string& folder) : table_(read_table(folder + "/left_out.csv")) {
  const std::vector<std::string> columns = {"contract", "call", "why"};
  table_.require_columns(columns);
}

bool LeftOut::has(const std::string& contract, const std::string& call) const {
  return std::any_of(table_.rows.begin(), table_.rows.end(), [&](const TableRow& row) {
    return glob_match(table_.text(row, "contract"), contract) && glob_match(table_.text(row, "call"), call);
  });
}

std::string LeftOut::text() const {
  std::string text;
  for (const TableRow& row : table_.rows)
    text += fmt::format("| {} | `{}` | {} |\n", table_.text(row, "contract"), table_.text(row, "call"), table_.text(row, "why"));
  return text;
}

/// Largest size in bytes of a witness file in the repository.
static constexpr size_t kMostBytesOfWitness = 768 << 10;

int keep_witnesses(const WitnessArguments& arguments) {
  open_contracts(arguments.suites);
  const auto op_of = [&](const std::string& name) -> const Op& { return arguments.suites.ops->find(name); };
  const std::string folder = arguments.folder.empty() ? witness_folder() : arguments.folder;
  const LeftOut left_out(folder);
  int64_t kept = 0, refused = 0;
  for (const std::string& file : files_of(arguments)) {
    Witness witness = read_witness(file, op_of);
    std::erase_if(witness.calls, [&](const WitnessCall& call) { return left_out.has(witness.contract, call.from); });
    const std::string text = witness_text(witness);
    const WitnessFinding finding = judge_witness(op_of(witness.op), witness, false);
    std::string why = witness.calls.empty() ? "left_out.csv lists all calls of this file"
                      : finding.agrees()    ? ""
                                            : "its contract does not accept " + finding.against.front();
    if (text.size() > kMostBytesOfWitness) why = fmt::format("{} bytes; the limit is {}", text.size(), kMostBytesOfWitness);
    if (why.empty()) {
      write_atomically(folder + "/" + witness.op + "/" + witness.contract + ".safetensors", text);
      ++kept;
    } else {
      fmt::print("{}: not kept: {}\n", file, why);
      ++refused;
    }
  }
  fmt::print("{} witnesses kept, {} not\n", kept, refused);
  return refused == 0 ? kAllAsExpected : kUnexpected;
}

// assay witness run: calls a library on recorded inputs and stores its outputs.
namespace {

std::string place_of(const LibraryInfo& library) {
  std::string text = library.device.empty() ? library.arch : library.device + " " + library.arch;
  if (!library.driver.empty()) text += ", driver " + library.driver;
  if (!library.toolkit.empty()) text += ", CUDA " + library.toolkit;
  return printable(text);
}

const KernelOffer* kernel_for(const Backend& backend, const WitnessCall& call, const std::string& name) {
  for (const KernelOffer& kernel : backend.library.kernels)
    if (glob_match(name, kernel.name) && why_not_offered(kernel, call.one).empty()) return &kernel;
  return nullptr;
}

/// The calls that the library answers, with outputs. Prints one line for each call that it does not answer.
Witness answered(const Backend& backend, Witness inputs, const WitnessArguments& arguments) {
  Witness witness{
      "", inputs.op, inputs.contract, {arguments.package, "", arguments.flags, place_of(backend.library), today()}, {}};
  for (WitnessCall& call : inputs.calls) {
    const KernelOffer* const kernel = kernel_for(backend, call, arguments.kernel);
    if (kernel == nullptr) continue;
    call.result = backend.call({inputs.op, inputs.contract, kernel->name, &call.problem, 1});
    if (call.result.status == CallStatus::kDeviceLost) throw HarnessError("the device was lost: " + call.result.message);
    if (call.result.status != CallStatus::kOk) {
      fmt::print("{}: {} {}: {}\n", inputs.contract, kernel->name, call.from, printable(call.result.message));
      continue;
    }
    witness.origin.kernel = kernel->name;
    witness.calls.push_back(std::move(call));
  }
  return witness;
}

}  // namespace

int run_witnesses(const WitnessArguments& arguments) {
  if (arguments.backend.empty() || arguments.folder.empty() || arguments.package.empty())
    throw UsageError("witness run: expected --backend, --package and --folder");
  open_contracts(arguments.suites);
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  int64_t written = 0, elements = 0;
  for (const std::string& folder :
       arguments.targets.empty() ? std::vector<std::string>{data_root() + "/golden/witness"} : arguments.targets) {
    for (const std::string& file : witness_files(folder)) {
      Witness inputs = read_witness(file, [&](const std::string& name) -> const Op& { return arguments.suites.ops->find(name); });
      if (!glob_match(arguments.contract, inputs.contract)) continue;
      const Witness witness = answered(backend, std::move(inputs), arguments);
      if (witness.calls.empty()) continue;
      write_atomically(arguments.folder + "/" + witness.op + "/" + witness.contract + ".safetensors", witness_text(witness));
      ++written, elements += witness.output_elements();
    }
  }
  fmt::print("{}: {} contracts, {} output elements\n", arguments.package, written, elements);
  if (written == 0) throw UsageError("back end " + arguments.backend + " offers no contract of these witnesses");
  return kAllAsExpected;
}

// assay witness: inputs that kill a contract's mutants, the outputs of real implementations on them, and their check.
namespace {

/// Largest size in bytes of a case whose inputs become a witness. The largest case that is needed has NaN in a DeepSeek-V4 cache;
/// larger cases kill no further mutants.
constexpr int64_t kMostBytes = 640 << 10;

/// Whether the contract of this case gets a witness. Tensor core instructions and casts have recordings or sweeps of their own.
bool has_witness(const Op& op, const Case& one) {
  return !op.has_sweeps && one.parameters.contains("contract") && !rulebook().is_unit(one.text("contract"));
}

int choose_all(const WitnessArguments& arguments) {
  if (arguments.folder.empty()) throw UsageError("witness inputs: expected --folder DIR");
  const LeftOut left_out(witness_folder());
  std::map<std::pair<std::string, std::string>, std::vector<Case>> by_contract;
  for (const Case& one : open_selected_cases(arguments.suites, {.suites = {"quick"}, .cases = {}, .arch = {}, .warp = {}}))
    if ((arguments.op.empty() || one.op == arguments.op) && glob_match(arguments.contract, one.text("contract")) &&
        has_witness(arguments.suites.ops->find(one.op), one) && !left_out.has(one.text("contract"), one.data_id()) &&
        std::none_of(arguments.without.begin(), arguments.without.end(),
                     [&](const std::string& glob) { return glob_match(glob, one.id); }))
      by_contract[{one.op, one.text("contract")}].push_back(one);
  if (by_contract.empty()) throw UsageError("no quick case of a contract is selected; see --op, --contract and --without");
  const std::vector<std::pair<std::pair<std::string, std::string>, std::vector<Case>>> all(by_contract.begin(),
                                                                                           by_contract.end());
  std::vector<std::string> lines(all.size());
  ProgressReport progress(all.size(), "contracts");
  for_each_in_parallel(int64_t(all.size()), [&](int64_t i) {
    const auto& [key, cases] = all[size_t(i)];
    progress.step(key.second);
    const Op& op = arguments.suites.ops->find(key.first);
    const Chosen chosen = choose_inputs(op, cases, kMostBytes);
    if (chosen.witness.calls.empty()) return;
    const std::string file = arguments.folder + "/" + key.first + "/" + key.second + ".safetensors",
                      text = witness_text(chosen.witness);
    write_atomically(file, text);
    std::string& line = lines[size_t(i)];
    line = fmt::format("{}: {} calls, {} bytes, exposes {} of {} mutants\n", file, chosen.witness.calls.size(), text.size(),
                       chosen.edits - int64_t(chosen.unseen.size()), chosen.edits);
    for (const std::string& name : chosen.unseen) line += "  no input exposes " + name + "\n";
  });
  progress.clear();
  for (const std::string& line : lines) fmt::print("{}", line);
  return kAllAsExpected;
}

/// Reasons why recorded outputs do not kill a mutant, from golden/witness/survivors.csv, or from suites/unseen.csv for mutants
/// that no quick case kills. Cells `contract` and `fault` of both tables are globs; | separates several contracts.
class Reasons {
 public:
  Reasons() {
    for (const std::string& file : {witness_folder() + "/survivors.csv", data_root() + "/suites/unseen.csv"}) {
      const Table table = read_table(file);
      const std::vector<std::string> columns = {"contract", "fault", "why"};
      table.require_columns(columns);
      for (const TableRow& row : table.rows)
        for (const std::string& contract : alternatives_of(table.text(row, "contract")))
          all_.push_back({contract, table.text(row, "fault"), table.text(row, "why")});
    }
  }
  /// Why the outputs do not kill the mutant `edit`; empty if neither table has a reason.
  std::string of(const std::string& contract, const std::string& edit) const {
    for (const Reason& reason : all_)
      if (glob_match(reason.contract, contract) && (reason.edit == edit || glob_match(reason.edit, edit))) return reason.why;
    return "";
  }

 private:
  struct Reason {
    std::string contract, edit, why;
  };
  std::vector<Reason> all_;
};

/// Results of the comparison of recorded outputs with their contracts: rows of two tables, and error messages.
struct WitnessCheck {
  std::string rows, survivors, complaints;
  int64_t refuted = 0, edits = 0;
};

WitnessCheck check_witnesses(const OpRegistry& ops, const std::vector<std::string>& files) {
  const auto op_of = [&](const std::string& name) -> const Op& { return ops.find(name); };
  const Reasons reasons;
  std::vector<WitnessCheck> judged(files.size());
  ProgressReport progress(files.size(), "witnesses");
  for_each_in_parallel(int64_t(files.size()), [&](int64_t i) {
    progress.step(files[size_t(i)]);
    const Witness witness = read_witness(files[size_t(i)], op_of);
    WitnessCheck& j = judged[size_t(i)];
    if (!witness.has_outputs()) {
      j.complaints = files[size_t(i)] + ": has inputs but no outputs\n";
      return;
    }
    const WitnessFinding finding = judge_witness(op_of(witness.op), witness);
    for (const std::string& line : finding.against)
      j.complaints += files[size_t(i)] + ": the contract does not accept " + line + "\n";
    const std::vector<std::string> survivors = finding.survivors();
    j.refuted = finding.refuted();
    j.edits = j.refuted + int64_t(survivors.size());
    const WitnessOrigin& o = witness.origin;
    j.rows = fmt::format("| {} | {} {} | {} | {} | {} | {} | {} of {} |\n", witness.contract, o.package, o.kernel, o.flags, o.on,
                         o.date, finding.elements, j.refuted, j.edits);
    for (const std::string& name : survivors) {
      const std::string why = reasons.of(witness.contract, name);
      j.survivors += fmt::format("| {} | `{}` | {} |\n", witness.contract, name, why);
      if (why.empty())
        j.complaints += fmt::format(
            "{}: too weak: its outputs do not kill mutant {}, and neither survivors.csv nor unseen.csv gives a reason\n",
            files[size_t(i)], name);
    }
  });
  WitnessCheck all;
  for (const WitnessCheck& j : judged) {
    all.rows += j.rows, all.survivors += j.survivors, all.complaints += j.complaints;
    all.refuted += j.refuted, all.edits += j.edits;
  }
  return all;
}

std::string table_of(const WitnessCheck& check, size_t witnesses) {
  return fmt::format(
      "{} files; their outputs kill {} of {} mutants (a mutant is one edited step of a contract).\n\n| contract | run | flags | "
      "on "
      "| date | outputs | mutants killed |\n|---|---|---|---|---|---|---|\n{}"
      "\nMutants that survive a file:\n\n| contract | mutant | why |\n|---|---|---|\n{}"
      "\nCalls that are left out because contract and implementation differ there:\n\n| contract | call | why "
      "|\n|---|---|---|\n{}",
      witnesses, check.refuted, check.edits, check.rows, check.survivors, LeftOut(witness_folder()).text());
}

int check_all(const WitnessArguments& arguments) {
  open_contracts(arguments.suites);
  const std::vector<std::string> files = files_of(arguments);
  const WitnessCheck check = check_witnesses(*arguments.suites.ops, files);
  fmt::print("{}{} witnesses, {} of {} mutants killed\n", check.complaints, files.size(), check.refuted, check.edits);
  const bool wants_table = !arguments.write.empty() || !arguments.check.empty();
  const auto table = [&] { return table_of(check, files.size()); };
  const int tabled =
      wants_table ? put_table("assay witness check", table, arguments.write, arguments.check) : int(kAllAsExpected);
  if (!wants_table && !check.survivors.empty()) fmt::print("{}", check.survivors);
  return check.complaints.empty() ? tabled : int(kUnexpected);
}

int drift_all(const WitnessArguments& arguments) {
  if (arguments.targets.empty()) throw UsageError("witness drift: expected folders that witness run wrote");
  open_contracts(arguments.suites);
  const auto op_of = [&](const std::string& name) -> const Op& { return arguments.suites.ops->find(name); };
  const std::string committed = arguments.folder.empty() ? witness_folder() : arguments.folder;
  const std::vector<std::string> files = files_of(arguments), contracts = rulebook().contract_ids();
  std::vector<Drift> drifts(files.size());
  ProgressReport progress(files.size(), "witnesses");
  for_each_in_parallel(int64_t(files.size()), [&](int64_t i) {
    progress.step(files[size_t(i)]);
    const Witness release = read_witness(files[size_t(i)], op_of);
    const std::string file = committed + "/" + release.op + "/" + release.contract + ".safetensors";
    std::vector<Witness> known;
    if (std::filesystem::exists(file)) known.push_back(read_witness(file, op_of));
    drifts[size_t(i)] = drift_of(op_of(release.op), release, known.empty() ? nullptr : &known.front(), contracts);
  });
  return put_table(
      "assay witness drift", [&] { return drift_table(drifts); }, arguments.write, arguments.check);
}

}  // namespace

std::string witness_table_now(const OpRegistry& ops) {
  const std::vector<std::string> files = files_of({});
  const WitnessCheck check = check_witnesses(ops, files);
  if (!check.complaints.empty()) throw std::runtime_error(check.complaints);
  return table_of(check, files.size());
}

int witness_verb(const WitnessArguments& arguments) {
  if (arguments.action == "inputs") return choose_all(arguments);
  if (arguments.action == "run") return run_witnesses(arguments);
  if (arguments.action == "keep") return keep_witnesses(arguments);
  return arguments.action == "check" ? check_all(arguments) : drift_all(arguments);
}

}  // namespace assay
