// assay probe: infers the behaviour of a device's tensor cores and conversions from calls.
#include <fmt/format.h>

#include <cstdio>

#include "harness/cli/ending.h"
#include "harness/cli/places.h"
#include "harness/cli/probe_casts.h"
#include "harness/cli/provenance.h"
#include "harness/cli/verbs.h"
#include "harness/probe/ask.h"
#include "harness/probe/words.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/printable.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// "assay probe 2026-11-23: assay_cuda on NVIDIA H200, driver 580, toolkit 13.0"
std::string source_of(const LibraryInfo& library) {
  std::string text = "assay probe " + today() + ": " + library.name + " on " + library.device;
  if (!library.driver.empty()) text += ", driver " + library.driver;
  if (!library.toolkit.empty()) text += ", toolkit " + library.toolkit;
  return printable(text);
}

/// Results from a GPU are measured; a library that computes on this host says nothing about a GPU.
const char* evidence_of(const LibraryInfo& library) { return library.arch == "cpu" ? "inferred" : "measured"; }

std::string csv_line(const UnitRow& row) {
  std::string line;
  for (const std::string& column : unit_columns()) line += (line.empty() ? "" : ",") + csv_cell(row.text(column));
  return line + "\n";
}

/// The result for one instruction, and its table row if a model was found.
struct One {
  int code = kAllAsExpected;
  std::string csv;
};

One probe_one(const Backend& backend, const OfferedInstruction& offered, const ProbeEffort& effort) {
  const UnitRow& row = rulebook().units.find(offered.contract);
  const Instruction instruction = instruction_of(row, offered.m, offered.n);
  fmt::print("{} {}, called by {}: {} x {} x {}, {} * {} -> {}\n", backend.library.name, offered.kernel->name, row.id,
             instruction.m, instruction.n, instruction.k, instruction.a->name, instruction.b->name, instruction.d->name);
  Probed probed;
  try {
    probed = probe_unit(instruction, ask_of(backend, offered), effort);
  } catch (const DeviceLostError& error) {
    return fmt::print("  {}\n\n", printable(error.what())), One{kDeviceLost, ""};
  } catch (const ProbeError& error) {
    return fmt::print("  no answer: {}\n\n", printable(error.what())), One{kUnexpected, ""};
  }
  const LikeRow nearest = nearest_row(probed.unit, rulebook().units);
  LikeRow claimed;
  if (row.unit.known()) claimed = compare_with(probed.unit, row);
  for (const std::string& line : probed_lines(probed, row.unit.known() ? &claimed : nullptr, nearest)) fmt::print("{}\n", line);
  std::fputs("\n", stdout);
  std::fflush(stdout);
  One one;
  if (!probed.known() || (row.unit.known() && !claimed.equal)) one.code = kUnexpected;
  if (!probed.known()) return one;
  const std::string why =
      fmt::format("{} elements, all explained; {}", probed.elements,
                  probed.not_observable.empty() ? "every cell was observed" : "parameters that are not observable have their simplest value");
  one.csv = csv_line(row_of(probed.unit, row.unit.known() ? "probed." + row.id : row.id, evidence_of(backend.library),
                            source_of(backend.library), why));
  return one;
}

/// Combines exit codes: a lost device ranks highest, then "not as expected".
int worse(int a, int b) { return std::max(a, b); }

}  // namespace

int probe_verb(const ProbeArguments& arguments) {
  open_contracts(arguments.suites);
  if (!arguments.output.empty()) require_writable(arguments.output);
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  end_on_signals();
  const std::vector<OfferedInstruction> offered = offered_instructions(backend.library, arguments.kernel, arguments.unit);
  std::string table;
  for (const std::string& column : unit_columns()) table += (table.empty() ? "" : ",") + column;
  table += "\n";
  int code = kAllAsExpected, probed = 0, known = 0;
  for (const OfferedInstruction& one : offered) {
    if (ended_by() != nullptr) break;
    const One result = probe_one(backend, one, {arguments.elements, 2 * arguments.elements, arguments.seed});
    code = worse(code, result.code), ++probed, known += !result.csv.empty();
    table += result.csv;
    if (result.code == kDeviceLost) break;
  }
  int casts = 0;
  if (code != kDeviceLost && ended_by() == nullptr && arguments.unit == "*")
    code = worse(code, probe_casts(backend, arguments.kernel, casts));
  if (!arguments.output.empty()) write_atomically(arguments.output, table);
  fmt::print("{} of {} instructions and {} conversions probed; {} units are known{}\n", probed, offered.size(), casts, known,
             arguments.output.empty() ? "" : fmt::format(", written to {}", arguments.output));
  if (ended_by() != nullptr) return exit_code_of_ending();
  if (probed == 0 && casts == 0)
    throw UsageError("NOTHING RAN: back end " + arguments.backend + " offers no kernel of op mma that " + arguments.kernel +
                     " and " + arguments.unit + " match, and no conversion");
  return code;
}

}  // namespace assay
