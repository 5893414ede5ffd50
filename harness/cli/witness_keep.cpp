// assay witness keep: stores the outputs of a run in the repository if their contract accepts them.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/cli/places.h"
#include "harness/cli/witness_files.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/witness/judge.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {

std::string witness_folder() { return data_root() + "/golden/witness"; }

std::vector<std::string> files_of(const WitnessArguments& arguments) {
  std::vector<std::string> files;
  for (const std::string& target : arguments.targets.empty() ? std::vector<std::string>{witness_folder()} : arguments.targets)
    for (std::string& file : witness_files(target)) files.push_back(std::move(file));
  std::erase_if(files, [&](const std::string& file) {
    return !glob_match(arguments.contract, std::filesystem::path(file).stem().string());
  });
  if (files.empty()) throw UsageError("no witness of a contract " + arguments.contract);
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

/// Size limit of a committed file.
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
    std::string why = witness.calls.empty() ? "no call is left"
                      : finding.agrees()    ? ""
                                            : "its row does not allow " + finding.against.front();
    if (text.size() > kMostBytesOfWitness) why = fmt::format("{} bytes are too many", text.size());
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

}  // namespace assay
