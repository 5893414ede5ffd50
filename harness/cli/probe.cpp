#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

#include "harness/cli/chip_reports.h"
#include "harness/cli/places.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/supervisor.h"
#include "harness/cli/verbs.h"
#include "harness/probe/infer.h"
#include "harness/probe/instruction.h"
#include "harness/report/progress_report.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/casts/cast_profile.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "suites/cast/cast_op.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

constexpr size_t kMostOthers = 3;  ///< at most this number of cast contracts that a conversion does not obey are listed

struct Candidate {
  CastCase cast;
  int64_t differ = 0;
  uint32_t first = 0, expected = 0, given = 0;  ///< the first input that differs: pattern, expected code, returned code
};

/// A case of the cast with inputs around every place where the cast or one of its mutants changes its code; nothing if the cast
/// does not convert from that format.
std::optional<CastCase> case_of(const std::string& contract, const std::string& from, int warp) {
  Case one;
  one.op = "cast";
  one.parameters = {{"contract", contract}, {"x", from}, {"fill", "borders"}, {"warp", std::to_string(warp)}};
  try {
    return read_cast_case(one);
  } catch (const TableError&) {
    return std::nullopt;
  }
}

std::vector<Candidate> candidates_for(const Format& to, const std::string& from, int warp) {
  std::vector<Candidate> all;
  for (const ContractRow& row : rulebook().contracts.rows()) {
    if (row.flow != &cast_flow() || row.cells.at("format").text != to.name) continue;
    if (const auto found = case_of(row.id, from, warp)) all.push_back({*found, 0, 0, 0, 0});
  }
  return all;
}

Problem problem_of(const std::vector<Candidate>& candidates, const Format& from, const Format& to, int warp) {
  std::set<uint32_t> inputs;
  for (const Candidate& one : candidates)
    for (const uint32_t input : inputs_of(one.cast)) inputs.insert(input);
  std::vector<uint32_t> all(inputs.begin(), inputs.end());
  const auto columns = size_t(kCastColumns);
  all.resize((all.size() + columns - 1) / columns * columns, all.back());
  const std::vector<int64_t> shape = {int64_t(all.size() / columns), kCastColumns};
  HostTensor x{dense("x", Role::kInput, from, shape), {}};
  x.bytes.resize(x.spec.bytes());
  for (size_t i = 0; i < all.size(); ++i) x.set_code(int64_t(i), all[i]);
  return {{std::move(x), {dense("q", Role::kOutput, to, shape), {}}}, {{"warp", double(warp)}}};
}

void compare(Candidate& candidate, const HostTensor& x, const HostTensor& q) {
  const std::vector<CodeRun>& runs = candidate.cast.truth().runs;
  for (int64_t i = 0; i < x.spec.elements(); ++i) {
    const uint32_t right = code_at(runs, x.code(i)), given = q.code(i);
    if (right == given) continue;
    if (candidate.differ++ == 0) candidate.first = x.code(i), candidate.expected = right, candidate.given = given;
  }
}

int print(const std::string& title, const std::string& claimed, std::vector<Candidate>& candidates, int64_t inputs, Json& found) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.differ < b.differ; });
  std::string obeyed;
  bool as_claimed = false;
  for (const Candidate& one : candidates)
    if (one.differ == 0) obeyed += (obeyed.empty() ? "" : ", ") + one.cast.row->id, as_claimed |= one.cast.row->id == claimed;
  fmt::print("{}: {} inputs, obeys {}{}\n", title, inputs, obeyed.empty() ? "no cast contract of the tables" : obeyed,
             as_claimed ? "" : ", NOT the contract that the kernel is offered for");
  found["inputs"] = inputs, found["as_called"] = as_claimed;
  for (const Candidate& one : candidates)
    if (one.differ == 0) found["obeys"].push_back(one.cast.row->id);
  size_t others = 0;
  for (const Candidate& one : candidates) {
    if (one.differ == 0 || others++ == kMostOthers) continue;
    if (others > kMostOthers) break;
    const CastProfile& profile = one.cast.truth().profile;
    const std::string not_this =
        fmt::format("not {}: {} inputs differ, first {}: returned {}, expected {}", one.cast.row->id, one.differ,
                    input_text(*profile.from, one.first), cast_code_text(*profile.format, one.given),
                    cast_code_text(*profile.format, one.expected));
    fmt::print("  {}\n", not_this);
    found["disobeys"].push_back(not_this);
  }
  return as_claimed ? kAllAsExpected : kUnexpected;
}

int probe_cast(const Backend& backend, const KernelOffer& kernel, const std::string& contract, const std::string& from, int warp,
               Json& conversions) {
  const std::optional<CastCase> claimed = case_of(contract, from, warp);
  if (!claimed) return kAllAsExpected;  // the contract has no conversion from that format
  const Format &source = *find_format(from), &to = *claimed->truth().profile.format;
  std::vector<Candidate> candidates = candidates_for(to, from, warp);
  const Problem problem = problem_of(candidates, source, to, warp);
  const std::string title =
      fmt::format("{} {}, offered for {}: {} -> {}", backend.library.name, kernel.name, contract, from, to.name);
  const CallResult result = backend.call({"cast", contract, kernel.name, &problem, 1});
  if (result.status == CallStatus::kUnsupported)
    return fmt::print("{}: not offered: {}\n", title, printable(result.message)), kAllAsExpected;
  Json& found = conversions.emplace_back(Json{{"kernel", kernel.name},
                                              {"called", contract},
                                              {"from", from},
                                              {"to", to.name},
                                              {"inputs", 0},
                                              {"as_called", false},
                                              {"obeys", Json::array()},
                                              {"disobeys", Json::array()},
                                              {"no_answer", ""}});
  if (result.status != CallStatus::kOk || result.outputs.empty() || !result.untouched.front().empty()) {
    fmt::print("{}: no answer: {}\n", title, printable(result.message));
    found["no_answer"] = "no answer: " + printable(result.message);
    return result.status == CallStatus::kDeviceLost ? kDeviceLost : kUnexpected;
  }
  for (Candidate& one : candidates) compare(one, problem.tensors.front(), result.outputs.front());
  return print(title, contract, candidates, problem.tensors.front().spec.elements(), found);
}

int probe_casts(const Backend& backend, const std::string& kernel_glob, int& probed, Json& conversions) {
  int code = kAllAsExpected;
  const auto is_cast = [&](const KernelOffer& kernel) { return kernel.op == "cast" && glob_match(kernel_glob, kernel.name); };
  size_t all = 0;
  for (const KernelOffer& kernel : backend.library.kernels) all += is_cast(kernel) ? kernel.contracts.size() : 0;
  ProgressReport progress(all, "conversions");
  for (const KernelOffer& kernel : backend.library.kernels) {
    if (!is_cast(kernel)) continue;
    const auto warp = kernel.accepts.find("warp"), x = kernel.accepts.find("x");
    const int lanes = warp == kernel.accepts.end() || warp->second.empty() ? 32 : std::stoi(warp->second.front());
    const std::vector<std::string> sources =
        x == kernel.accepts.end() ? std::vector<std::string>{"f32", "bf16", "f16"} : x->second;
    for (const std::string& contract : kernel.contracts) {
      progress.begin(contract);
      for (const std::string& from : sources) {
        progress.clear();
        code = std::max(code, probe_cast(backend, kernel, contract, from, lanes, conversions));
        ++probed;
        if (code == kDeviceLost || ended_by() != nullptr) return code;
      }
      progress.step(contract);
    }
  }
  return code;
}

// assay probe: infers the behaviour of a device's tensor cores and conversions from calls.

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

/// The result for one instruction: exit code, table row if a model was found, and its part of the report.
struct One {
  int code = kAllAsExpected;
  std::string csv;
  Json found;
};

/// How a model that probe found compares with a row of units.csv, as JSON.
Json like_row(const LikeRow& like) {
  if (like.row == nullptr) return nullptr;
  Json differs = Json::array();
  for (const auto& [column, match] : like.cells)
    if (match == CellMatch::kDiffers) differs.push_back(column);
  return {{"row", like.row->id}, {"alike", like.alike()}, {"of", like.cells.size()},
          {"equal", like.equal}, {"differs_in", differs}, {"same_cells", like.same_cells}};
}

Json found_of(const Probed& probed, const LikeRow* claimed, const LikeRow& nearest) {
  Json cells = Json::object(), hidden = Json::array(), unexplained = Json::array();
  const std::map<std::string, std::string> steps = step_cells(probed.unit);
  for (const std::string& column : unit_step_columns()) cells[column] = steps.at(column);
  for (const NotObservable& one : probed.not_observable) hidden.push_back({{"cell", one.cell}, {"also", one.what}});
  for (const Unexplained& one : probed.unexplained)
    unexplained.push_back({{"inputs", one.kind}, {"elements", one.elements}, {"wrong", one.wrong}, {"example", one.example}});
  return {{"known", probed.known()},
          {"cells", cells},
          {"called", claimed ? like_row(*claimed) : Json(nullptr)},
          {"nearest", like_row(nearest)},
          {"not_observable", hidden},
          {"unexplained", unexplained},
          {"remarks", probed.remarks},
          {"elements", probed.elements},
          {"random", probed.checked}};
}

One probe_one(const Backend& backend, const OfferedInstruction& offered, const ProbeEffort& effort, ProgressReport& progress) {
  const UnitRow& row = rulebook().units.find(offered.contract);
  const Instruction instruction = instruction_of(row, offered.m, offered.n);
  fmt::print("{} {}, offered for {}: {} x {} x {}, {} * {} -> {}\n", backend.library.name, offered.kernel->name, row.id,
             instruction.m, instruction.n, instruction.k, instruction.a->name, instruction.b->name, instruction.d->name);
  std::fflush(stdout);
  progress.begin(row.id);
  Json about = {{"id", row.id},       {"kernel", offered.kernel->name}, {"m", instruction.m},       {"n", instruction.n},
                {"k", instruction.k}, {"a", instruction.a->name},       {"b", instruction.b->name}, {"d", instruction.d->name},
                {"no_answer", ""}};
  const auto no_answer = [&](int code, const std::string& why) {
    about["no_answer"] = printable(why), about["known"] = false;
    return One{code, "", about};
  };
  Probed probed;
  try {
    probed = probe_unit(instruction, ask_of(backend, offered), effort);
    progress.clear();
  } catch (const DeviceLostError& error) {
    progress.clear();
    return fmt::print("  {}\n\n", printable(error.what())), no_answer(kDeviceLost, error.what());
  } catch (const ProbeError& error) {
    progress.clear();
    return fmt::print("  no answer: {}\n\n", printable(error.what())), no_answer(kUnexpected, error.what());
  }
  const LikeRow nearest = nearest_row(probed.unit, rulebook().units);
  LikeRow claimed;
  if (row.unit.known()) claimed = compare_with(probed.unit, row);
  for (const std::string& line : probed_lines(probed, row.unit.known() ? &claimed : nullptr, nearest)) fmt::print("{}\n", line);
  std::fputs("\n", stdout);
  std::fflush(stdout);
  One one;
  one.found = std::move(about);
  one.found.update(found_of(probed, row.unit.known() ? &claimed : nullptr, nearest));
  if (!probed.known() || (row.unit.known() && !claimed.equal)) one.code = kUnexpected;
  if (!probed.known()) return one;
  const std::string why = fmt::format(
      "{} elements, all explained; {}", probed.elements,
      probed.not_observable.empty() ? "every cell was observed" : "cells that no result depends on have their simplest value");
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
  const ChipReports reports(arguments.reports);
  Provenance provenance = provenance_of(arguments);
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  add_library(provenance, backend.library);
  end_on_signals();
  std::vector<OfferedInstruction> offered;
  if (arguments.part != "conversions") offered = offered_instructions(backend.library, arguments.kernel, arguments.unit);
  Json instructions = Json::array(), conversions = Json::array();
  std::string table;
  for (const std::string& column : unit_columns()) table += (table.empty() ? "" : ",") + column;
  table += "\n";
  int code = kAllAsExpected, probed = 0, known = 0;
  ProgressReport progress(offered.size(), "instructions");
  for (const OfferedInstruction& one : offered) {
    if (ended_by() != nullptr) break;
    const One result = probe_one(backend, one, {arguments.elements, 2 * arguments.elements, arguments.seed}, progress);
    progress.step(one.contract, result.code != kAllAsExpected);
    code = worse(code, result.code), ++probed, known += !result.csv.empty();
    table += result.csv;
    instructions.push_back(result.found);
    if (result.code == kDeviceLost) break;
  }
  progress.clear();
  int casts = 0;
  if (code != kDeviceLost && ended_by() == nullptr && arguments.unit == "*" && arguments.part != "instructions")
    code = worse(code, probe_casts(backend, arguments.kernel, casts, conversions));
  if (!arguments.output.empty()) write_atomically(arguments.output, table);
  fmt::print("{} of {} instructions and {} conversions probed; found models of {} instructions{}\n", probed, offered.size(),
             casts, known, arguments.output.empty() ? "" : fmt::format(", written to {}", arguments.output));
  provenance.ended = utc_now();
  provenance.ended_early = ended_by() != nullptr ? ended_by() : code == kDeviceLost ? "a lost device" : "";
  const bool all_written = reports.write({{"assay_probe", 1},
                                          {"library", library_json(backend.library, provenance)},
                                          {"provenance", provenance_json(provenance)},
                                          {"seed", arguments.seed},
                                          {"elements", arguments.elements},
                                          {"instructions", instructions},
                                          {"conversions", conversions}},
                                         probe_html);
  if (ended_by() != nullptr) return exit_code_of_ending();
  if (probed == 0 && casts == 0)
    throw UsageError("NOTHING RAN: back end " + arguments.backend + " offers no conversion, and no kernel of op mma that matches "
                     "--kernel " + arguments.kernel + " --unit " + arguments.unit);
  return code == kAllAsExpected && !all_written ? kHarnessFailed : code;
}

}  // namespace assay
