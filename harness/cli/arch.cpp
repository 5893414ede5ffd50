#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "harness/cli/chip_reports.h"
#include "harness/cli/places.h"
#include "harness/cli/run_reports.h"
#include "harness/cli/supervisor.h"
#include "harness/cli/verbs.h"
#include "harness/core/call.h"
#include "harness/core/expectation.h"
#include "harness/probe/instruction.h"
#include "harness/report/progress_report.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/formats/round.h"
#include "reference/table/near.h"
#include "reference/table/table.h"
#include "reference/units/unit_recordings.h"
#include "reference/units/unit_separate.h"
#include "reference/units/unit_table.h"
#include "suites/mma/mma_case.h"
#include "suites/rulebook.h"

namespace assay {

// Calls whose results are compared with an instruction's model: on eight kinds of data, in chains of several lengths.

/// One kind of data: its name, and the input generators of `a`, `b`, `c` and of the scales.
struct UnitFills {
  const char *words, *a, *b, *c, *scale;
};

/// Returns all kinds of data; for an integer instruction only the first kind, because random bits suffice to test it.
std::span<const UnitFills> fills_of(const Unit& unit);

/// Lengths of the chains. In a chain, each instruction takes the result of the previous instruction as `c`.
inline constexpr std::array<int64_t, 4> kUnitChains = {1, 2, 4, 128};

/// The calls of one instruction on one kind of data. Each call has tiles of m x n, and at least `elements` elements of d in all.
struct UnitCalls {
  const UnitRow* row = nullptr;
  const UnitFills* fills = nullptr;
  int64_t m = 0, n = 0, elements = 0;
  uint64_t seed = 0;

  MmaCase chain(int64_t steps) const;  ///< the call in which chains have this length
};

/// `d` as the model predicts it.
HostTensor predicted_d(const MmaCase& c, const Problem& problem);
uint64_t digest_of(const HostTensor& d);  ///< XXH3 of `d` in memory order, for results that are too large to store

namespace {

constexpr std::array<UnitFills, 8> kFills = {{{"uniform bits", "uniform_bits", "uniform_bits", "uniform_bits", "scales"},
                                              {"near 1", "near_one", "near_one", "near_one", "scales"},
                                              {"sparse, signed zeros", "half_zeros", "half_zeros", "half_zeros", "scales"},
                                              {"tiny and subnormal", "tiny", "tiny", "tiny", "scales"},
                                              {"cancelling pairs", "pairs", "opposite_pairs", "half_zeros", "scales"},
                                              {"near overflow", "near_overflow", "near_overflow", "huge", "scales"},
                                              {"very sparse", "mostly_zeros", "mostly_zeros", "mostly_zeros", "scales"},
                                              {"special values", "specials", "specials", "specials", "specials"}}};

/// The input generator for c. If all products are below max(d) / 4, a huge c would hide them, so "half_zeros" replaces "huge".
std::string fill_of_c(const UnitFills& fills, const Unit& unit) {
  const bool reaches = max_finite(*unit.a) * max_finite(*unit.b) >= max_finite(*unit.d) / 4;
  return std::string(fills.c) == "huge" && !reaches ? "half_zeros" : fills.c;
}

/// The input generator for a or b in this format. For a format without NaN and Inf, random codes replace "specials".
std::string fill_of_factor(const char* fill, const Format& format) {
  return format.specials == Specials::kFinite && fill == std::string("specials") ? "uniform_bits" : fill;
}

}  // namespace

std::span<const UnitFills> fills_of(const Unit& unit) {
  return std::span(kFills).first(unit.d->is_integer() ? 1 : kFills.size());
}

MmaCase UnitCalls::chain(int64_t steps) const {
  MmaCase c;
  c.row = row;
  c.m = m, c.n = n, c.steps = steps, c.seed = seed;
  c.tiles = std::max<int64_t>(1, (elements + m * n - 1) / (m * n));
  c.fill = fill_of_factor(fills->a, *row->unit.a), c.b = fill_of_factor(fills->b, *row->unit.b),
  c.c = fill_of_c(*fills, row->unit);
  if (row->unit.scale) c.scale = fills->scale;
  return c;
}

HostTensor predicted_d(const MmaCase& c, const Problem& problem) {
  const HostTensor& addend = find(problem.tensors, "c");
  HostTensor d{addend.spec, addend.bytes};
  const int64_t of_tile = c.m * c.n;
  std::vector<uint32_t> codes(static_cast<size_t>(of_tile));
  for (int64_t tile = 0; tile < c.tiles; ++tile) {
    for (int64_t i = 0; i < of_tile; ++i) codes[size_t(i)] = addend.code(tile * of_tile + i);
    accumulate(c.unit(), tile_of(c, problem, tile), {0, c.m, 0, c.n}, 0, c.k(), codes.data(), c.n);
    for (int64_t i = 0; i < of_tile; ++i) d.set_code(tile * of_tile + i, codes[size_t(i)]);
  }
  return d;
}

uint64_t digest_of(const HostTensor& d) { return XXH3_64bits(d.bytes.data(), d.bytes.size()); }

// Recorded results of real tensor cores as a table of digests: golden/observed/<arch>/units.csv.

/// One instruction on one kind of data.
struct ObservedUnit {
  UnitCalls calls;
  std::array<uint64_t, kUnitChains.size()> digests = {};  ///< digest of d for each chain length
};

/// Writes the table, sorted by instruction, with GPU, driver, toolkit and date.
void write_observed_units(const std::string& path, const LibraryInfo& seen_on, std::vector<ObservedUnit> observed);

/// assay arch verify FILE.csv: generates the operands of the recorded calls again and compares the models' predictions with the
/// digests. --unit selects instructions. Throws TableError for an invalid file, an unknown instruction or kind of data, or a
/// number of elements that is not a multiple of the tile.
int verify_observed(const ArchArguments& arguments);

namespace {

std::string chain_column(int64_t steps) { return "chain_" + std::to_string(steps); }

std::vector<std::string> columns() {
  std::vector<std::string> all = {"unit", "data", "m", "n", "seed", "elements"};
  for (int64_t steps : kUnitChains) all.push_back(chain_column(steps));
  for (const char* of_chip : {"device", "driver", "toolkit", "date"}) all.push_back(of_chip);
  return all;
}

uint64_t digest(const Table& table, const TableRow& row, const std::string& column) {
  const std::string& text = table.text(row, column);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 16 || error != std::errc() || end != text.data() + text.size())
    throw table.error(row, column, "'" + text + "': expected 16 hexadecimal digits");
  return value;
}

ObservedUnit read_row(const Table& table, const TableRow& row) {
  ObservedUnit one;
  UnitCalls& calls = one.calls;
  try {
    calls.row = &rulebook().units.find(table.text(row, "unit"));
  } catch (const std::out_of_range& error) {
    throw table.error(row, "unit", error.what());
  }
  if (!calls.row->unit.known())
    throw table.error(row, "unit", "expected an instruction with a model, got " + calls.row->id + "; see: assay arch list");
  for (const UnitFills& fills : fills_of(calls.row->unit))
    if (fills.words == table.text(row, "data")) calls.fills = &fills;
  if (!calls.fills)
    throw table.error(row, "data",
                      "expected a kind of data for this instruction, such as 'uniform bits', got '" +
                          table.text(row, "data") + "'");
  constexpr int64_t kLargestTile = 1 << 10, kMostElements = 1 << 28;
  const auto within = [&](const char* column, int64_t most) {
    const int64_t value = table.integer(row, column);
    if (value < 1 || value > most)
      throw table.error(row, column, fmt::format("expected a number from 1 to {}, got {}", most, value));
    return value;
  };
  calls.m = within("m", kLargestTile), calls.n = within("n", kLargestTile);
  calls.seed = uint64_t(within("seed", std::numeric_limits<int64_t>::max()));
  calls.elements = within("elements", kMostElements);
  if (calls.elements % (calls.m * calls.n) != 0)
    throw table.error(row, "elements",
                      fmt::format("expected a multiple of {} x {}, the tile size, got {}", calls.m, calls.n, calls.elements));
  for (size_t i = 0; i < kUnitChains.size(); ++i) one.digests[i] = digest(table, row, chain_column(kUnitChains[i]));
  return one;
}

}  // namespace

void write_observed_units(const std::string& path, const LibraryInfo& seen_on, std::vector<ObservedUnit> observed) {
  std::stable_sort(observed.begin(), observed.end(),
                   [](const auto& x, const auto& y) { return x.calls.row->id < y.calls.row->id; });
  std::string text;
  for (const std::string& column : columns()) text += (text.empty() ? "" : ",") + column;
  const std::string chip = fmt::format("{},{},{},{}", csv_cell(seen_on.device.empty() ? seen_on.arch : seen_on.device),
                                       csv_cell(seen_on.driver), csv_cell(seen_on.toolkit), today());
  for (const ObservedUnit& one : observed) {
    const MmaCase c = one.calls.chain(1);
    text += fmt::format("\n{},{},{},{},{},{}", csv_cell(c.row->id), csv_cell(one.calls.fills->words), c.m, c.n, c.seed,
                        c.tiles * c.m * c.n);
    for (uint64_t digest : one.digests) text += fmt::format(",{:016x}", digest);
    text += "," + chip;
  }
  write_atomically(path, text + "\n");
  fmt::print("wrote {}: digests of results for {} pairs of instruction and kind of data\n", path, observed.size());
}

int verify_observed(const ArchArguments& arguments) {
  open_contracts(arguments.suites);
  const Table table = read_table(arguments.targets[0]);
  table.require_columns(columns());
  table.allow_columns(columns());
  std::vector<ObservedUnit> observed;
  for (const TableRow& row : table.rows)
    if (glob_match(arguments.unit, table.text(row, "unit"))) observed.push_back(read_row(table, row));
  if (observed.empty()) throw UsageError("NOTHING RAN: no instruction in " + arguments.targets[0] + " matches --unit");
  std::vector<std::array<uint64_t, kUnitChains.size()>> predicted(observed.size());
  for_each_in_parallel(int64_t(observed.size() * kUnitChains.size()), [&](int64_t i) {
    const auto line = size_t(i) / kUnitChains.size(), chain = size_t(i) % kUnitChains.size();
    const MmaCase c = observed[line].calls.chain(kUnitChains[chain]);
    predicted[line][chain] = digest_of(predicted_d(c, mma_problem(c)));
  });
  int64_t elements = 0, agree = 0;
  for (size_t line = 0; line < observed.size(); ++line)
    for (size_t chain = 0; chain < kUnitChains.size(); ++chain) {
      const UnitCalls& calls = observed[line].calls;
      elements += calls.elements;
      if (predicted[line][chain] == observed[line].digests[chain]) {
        agree += calls.elements;
        continue;
      }
      fmt::print("{} on data '{}', chains of {} instructions: observed digest {:016x}, predicted digest {:016x}\n", calls.row->id,
                 calls.fills->words, kUnitChains[chain], observed[line].digests[chain], predicted[line][chain]);
    }
  fmt::print("{} of {} observed elements are as predicted (compared by digests)\n", agree, elements);
  return agree == elements ? kAllAsExpected : kUnexpected;
}

namespace {

/// Result of the call with one chain length.
struct Chain {
  int64_t elements = 0, differ = 0;
  uint64_t digest = 0;
  std::string first;    ///< first element that differs
  std::string trouble;  ///< why there are no outputs
  bool device_lost = false;
};

/// Makes only one call at a time on the device, but computes operands and predictions on all cores.
class Verification {
 public:
  explicit Verification(const Backend& backend) : backend_(backend) {}

  Chain run(const OfferedInstruction& offered, const UnitCalls& calls, int64_t steps) {
    MmaCase c = calls.chain(steps);
    c.warp = offered.warp;
    const Problem problem = mma_problem(c);
    Chain chain;
    const CallResult result = called(offered, problem);
    if (result.status != CallStatus::kOk || result.outputs.size() != 1 || !result.untouched.front().empty()) {
      chain.trouble = result.status == CallStatus::kOk ? "the kernel left some elements of d unwritten" : result.message;
      chain.device_lost = result.status == CallStatus::kDeviceLost;
      return chain;
    }
    compare(c, problem, result.outputs.front(), chain);
    return chain;
  }

 private:
  CallResult called(const OfferedInstruction& offered, const Problem& problem) {
    const std::lock_guard lock(one_call_);
    if (lost_) {
      CallResult none;
      none.status = CallStatus::kNotCalled;
      none.message = "not called: an earlier call lost the device";
      return none;
    }
    CallResult result = backend_.call({"mma", offered.contract, offered.kernel->name, &problem, 1});
    lost_ = result.status == CallStatus::kDeviceLost;
    return result;
  }

  static void compare(const MmaCase& c, const Problem& problem, const HostTensor& d, Chain& chain) {
    const HostTensor predicted = predicted_d(c, problem);
    const int64_t of_tile = c.m * c.n;
    const int digits = (c.unit().d->bits + 3) / 4;
    chain.elements = c.tiles * of_tile;
    for (int64_t i = 0; i < chain.elements; ++i) {
      const uint32_t given = d.code(i), right = predicted.code(i);
      if (given != right && chain.differ++ == 0)
        chain.first = fmt::format("first difference at tile {}, d[{}, {}]: returned {:0{}x}, predicted {:0{}x}", i / of_tile,
                                  i % of_tile / c.n, i % c.n, given, digits, right, digits);
    }
    chain.digest = digest_of(d);
  }

  const Backend& backend_;
  std::mutex one_call_;
  bool lost_ = false;
};

struct Line {
  OfferedInstruction offered;
  UnitCalls calls;
  std::array<Chain, kUnitChains.size()> chains;
};

std::vector<Line> lines_of(const std::vector<OfferedInstruction>& offered, const ArchArguments& arguments) {
  std::vector<Line> lines;
  for (const OfferedInstruction& one : offered) {
    const UnitRow& row = rulebook().units.find(one.contract);
    if (!row.unit.known()) continue;
    for (const UnitFills& fills : fills_of(row.unit))
      lines.push_back({one, {&row, &fills, one.m, one.n, arguments.elements, arguments.seed}, {}});
  }
  return lines;
}

void print(const Line& line) {
  int64_t elements = 0, differ = 0;
  std::string digests, first, trouble;
  for (const Chain& chain : line.chains) {
    elements += chain.elements, differ += chain.differ;
    digests += fmt::format(" {:016x}", chain.digest);
    if (first.empty()) first = chain.first;
    if (trouble.empty()) trouble = chain.trouble;
  }
  const std::string rest = !trouble.empty() ? "NO OUTPUTS: " + printable(trouble) : first;
  fmt::print("{:<28} {:<20} {} of {}{}{}\n", line.offered.contract, line.calls.fills->words, elements - differ, elements, digests,
             rest.empty() ? "" : "  " + rest);
}

}  // namespace

int verify_backend(const ArchArguments& arguments) {
  if (!arguments.output.empty()) require_writable(arguments.output);
  open_contracts(arguments.suites);
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  end_on_signals();
  const LibraryInfo& library = backend.library;
  std::vector<Line> lines = lines_of(offered_instructions(library, arguments.kernel, arguments.unit), arguments);
  if (lines.empty())
    throw UsageError("NOTHING RAN: back end " + arguments.backend + " offers no known instruction that matches --unit");
  fmt::print("{}\n",
             printable(fmt::format("{} on {}, driver {}, toolkit {}, seed {}; columns: instruction, data, elements as predicted, "
                                   "XXH3 digests of d after chains of 1, 2, 4 and 128 instructions",
                                   library.name, library.device, library.driver, library.toolkit, arguments.seed)));
  std::fflush(stdout);
  Verification verification(backend);
  ProgressReport progress(lines.size() * kUnitChains.size(), "chains");
  for_each_in_parallel(int64_t(lines.size() * kUnitChains.size()), [&](int64_t i) {
    if (ended_by() != nullptr) return;
    Line& line = lines[size_t(i) / kUnitChains.size()];
    const size_t length = size_t(i) % kUnitChains.size();
    line.chains[length] = verification.run(line.offered, line.calls, kUnitChains[length]);
    progress.step(line.offered.contract, line.chains[length].differ > 0);
  });
  progress.clear();
  int64_t elements = 0, differ = 0, silent = 0;
  bool lost = false;
  for (const Line& line : lines) {
    print(line);
    for (const Chain& chain : line.chains) {
      elements += chain.elements, differ += chain.differ, silent += !chain.trouble.empty();
      lost |= chain.device_lost;
    }
  }
  fmt::print("{} of {} elements are as predicted, {} differ; {} calls returned no outputs\n", elements - differ, elements, differ,
             silent);
  if (ended_by() != nullptr) return exit_code_of_ending();
  if (!arguments.output.empty()) {
    if (differ + silent > 0) {
      fmt::print("{} was not written: some results are not as predicted\n", arguments.output);
    } else {
      std::vector<ObservedUnit> observed;
      for (const Line& line : lines) {
        observed.push_back({line.calls, {}});
        for (size_t i = 0; i < kUnitChains.size(); ++i) observed.back().digests[i] = line.chains[i].digest;
      }
      write_observed_units(arguments.output, library, observed);
    }
  }
  return lost ? kDeviceLost : differ + silent > 0 ? kUnexpected : kAllAsExpected;
}

// assay arch: the tensor core models, and their comparison with recorded results of real GPUs.
namespace {

std::string contracts_file(const char* name) { return data_root() + "/reference/contracts/" + name; }

UnitTable open_units(const ArchArguments& arguments) {
  UnitTable units = UnitTable::load_folder(data_root() + "/reference/contracts");
  for (const std::string& file : arguments.units) units.add(file);
  for (const std::string& file : arguments.suites.tables.contracts)
    if (holds_units(file)) units.add(file);
  return units;
}

/// Text for an instruction whose behaviour is unknown: the number of candidate models.
std::string nothing_known(const UnitTable& units, const UnitRow& row) {
  const size_t candidates = units.candidates_of(row).size();
  return candidates == 0 ? "nothing is predicted" : fmt::format("no single prediction; {} candidate models", candidates);
}

void list(const UnitTable& units, const std::vector<std::string>& globs) {
  std::vector<std::string> ids;
  size_t width = 0;
  const auto chosen = [&](const UnitRow& row) {
    return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
             return glob_match(glob, row.id) || row.id.starts_with(glob + ".");
           });
  };
  for (const UnitRow& row : units.rows()) {
    ids.push_back(row.id);
    if (chosen(row)) width = std::max(width, row.id.size());
  }
  if (width == 0) throw UsageError("no instruction is selected" + did_you_mean(globs.front(), ids));
  for (const UnitRow& row : units.rows()) {
    if (!chosen(row)) continue;
    std::string steps;
    for (const std::string& column : unit_step_columns())
      if (column != "special" && !row.text(column).empty()) steps += (steps.empty() ? "" : " | ") + row.text(column);
    fmt::print("{:<{}}  {:<17}  {}\n", row.id, width, row.text("evidence"), row.unit.known() ? steps : nothing_known(units, row));
  }
  std::fflush(stdout);
  fmt::print(
      stderr,
      "columns: instruction, evidence, steps (order | exponent | sum | c | round | scale); `assay arch show ID` prints the "
      "formulas, docs/glossary.md explains the words\n");
}

void show(const UnitTable& units, const UnitRow& row) {
  fmt::print("{}   {}:{}\n", row.id, std::filesystem::proximate(row.file, data_root()).string(), row.line);
  for (const std::string& line : unit_lines(row.unit)) fmt::print("  {}\n", line);
  for (const char* column :
       {"a", "b", "d", "k", "order", "exponent", "sum", "c", "round", "scale", "special", "evidence", "source", "why"})
    if (!row.text(column).empty()) fmt::print("  {:<8} {}\n", column, row.text(column));
  for (const UnitRow* candidate : units.candidates_of(row)) {
    fmt::print("  candidate model {}   {}:{}\n", candidate->id, std::filesystem::proximate(candidate->file, data_root()).string(),
               candidate->line);
    for (const char* column : {"k", "order", "exponent", "sum", "c", "round", "source", "why"})
      fmt::print("    {:<8} {}\n", column, candidate->text(column));
  }
}

/// Compares each recorded data set with the model of the instruction that unit_recordings.csv names for it. Returns 1 if a
/// result differs; throws UsageError if the table names no instruction for any data set.
int verify(const UnitTable& units, const std::string& folder) {
  const std::vector<RecordedUnit> recorded = load_recorded_units(contracts_file("unit_recordings.csv"));
  int64_t vectors = 0, matches = 0;
  for (const RecordedSet& set : recorded_sets(folder)) {
    bool covered = false;
    for (const RecordedUnit& of : recorded) {
      if (of.gpu != set.gpu || of.format != set.format || of.d != set.d) continue;
      covered = true;
      const RecordedMatches found = match_recorded(units.find(of.unit).unit, of.c_is_zero, set);
      vectors += found.vectors;
      matches += found.matches;
      fmt::print("{:<18} {:<24} {} of {}{}\n", set.name(), of.unit, found.matches, found.vectors,
                 found.first_line == 0 ? ""
                                       : fmt::format("   first difference at line {}: recorded {:08x}, predicted {:08x}",
                                                     found.first_line, found.recorded, found.predicted));
    }
    if (!covered) fmt::print("{:<18} skipped: unit_recordings.csv names no instruction for this data set\n", set.name());
  }
  if (vectors == 0) throw UsageError(folder + ": expected a data set of an instruction that unit_recordings.csv names, got none");
  fmt::print("{} of {} recorded vectors are as predicted\n", matches, vectors);
  return matches == vectors ? kAllAsExpected : kUnexpected;
}

/// A value with its code, "0x1.8p-3 (24)".
std::string number(const Format& f, uint32_t code) {
  const double x = decode(f, code);
  return fmt::format("{:a} ({:0{}x})", x, code, (f.bits + 3) / 4);
}

}  // namespace

std::vector<std::string> witness_lines(const UnitRow& a, const UnitRow& b, const UnitSeparation& found) {
  const UnitWitness& w = *found.witness;
  std::vector<std::string> lines = {
      fmt::format("the smallest input found on which the results differ; k runs from 0 to {}; elements that are not listed are zero:", found.k - 1)};
  for (size_t i = 0; i < w.a.size(); ++i)
    if (w.a[i] != 0 || w.b[i] != 0)
      lines.push_back(fmt::format("  k {:<3} {} * {}", i, number(*a.unit.a, w.a[i]), number(*a.unit.b, w.b[i])));
  for (size_t i = 0; i < w.a_scales.size(); ++i)
    lines.push_back(fmt::format("  scales of block {}: {} * {}", i, number(*a.unit.scale, w.a_scales[i]),
                                number(*a.unit.scale, w.b_scales[i])));
  lines.push_back(fmt::format("  c     {}", number(*a.unit.d, w.c)));
  lines.push_back(fmt::format("  {} returns {}", a.id, number(*a.unit.d, w.first)));
  lines.push_back(fmt::format("  {} returns {}", b.id, number(*a.unit.d, w.second)));
  return lines;
}

namespace {

void diff(const UnitRow& a, const UnitRow& b) {
  bool same = true;
  for (const std::string& column : unit_step_columns()) {
    if (a.text(column) == b.text(column)) continue;
    if (same) fmt::print("{:<8} {:<40} {}\n", "", a.id, b.id);
    same = false;
    fmt::print("{:<8} {:<40} {}\n", column, a.text(column).empty() ? "-" : a.text(column),
               b.text(column).empty() ? "-" : b.text(column));
  }
  if (a.unit.k != b.unit.k) fmt::print("{:<8} {:<40} {}\n", "k", a.unit.k, b.unit.k);
  if (same) fmt::print("the instructions have the same steps\n");
  std::fflush(stdout);  // so that this text precedes an error on stderr
  if (!a.unit.known() || !b.unit.known()) throw UsageError("nothing is predicted for " + (a.unit.known() ? b.id : a.id));
  if (*a.unit.a != *b.unit.a || *a.unit.b != *b.unit.b || *a.unit.d != *b.unit.d || a.text("scale") != b.text("scale"))
    throw UsageError(fmt::format("the instructions take different formats: {} * {} -> {} and {} * {} -> {}", a.text("a"),
                                 a.text("b"), a.text("d"), b.text("a"), b.text("b"), b.text("d")));
  const UnitSeparation found = separate_units(a.unit, b.unit);
  for (const UnitDifference& d : found.data) fmt::print("{:>8} of {:<7} elements differ: {}\n", d.differ, d.elements, d.data);
  if (found.witness)
    for (const std::string& line : witness_lines(a, b, found)) fmt::print("{}\n", line);
  else
    fmt::print("found no input on which they differ, with {} products per element\n", found.k);
}

/// Refuses names of chips: assay golden diff compares chips.
void refuse_chips(const UnitTable& units, const std::vector<std::string>& targets) {
  for (const std::string& target : targets)
    if (std::any_of(units.rows().begin(), units.rows().end(), [&](const UnitRow& row) { return chip_of_unit(row.id) == target; }))
      throw UsageError(
          fmt::format("arch diff: expected two instructions, but '{}' is a chip; to compare chips: assay golden diff {}; "
                      "to list instructions of a chip: assay arch list '{}.*'",
                      target, fmt::join(targets, " "), target));
}

void need(const ArchArguments& arguments, size_t count, const char* what) {
  if (arguments.targets.size() != count) throw UsageError(fmt::format("arch {} takes {}", arguments.action, what));
}

}  // namespace

int arch_verb(const ArchArguments& arguments) {
  if (!arguments.output.empty() && arguments.backend.empty()) throw UsageError("--output is only for arch verify --backend");
  if (!arguments.backend.empty()) {
    if (arguments.action != "verify") throw UsageError("--backend is only for arch verify");
    need(arguments, 0, "no folder together with --backend");
    return verify_backend(arguments);
  }
  const UnitTable units = open_units(arguments);
  if (arguments.action == "list") return list(units, arguments.targets), kAllAsExpected;
  if (arguments.action == "show")
    return need(arguments, 1, "one instruction id"), show(units, units.find(arguments.targets[0])), kAllAsExpected;
  if (arguments.action == "diff")
    return need(arguments, 2, "two instruction ids"), refuse_chips(units, arguments.targets),
           diff(units.find(arguments.targets[0]), units.find(arguments.targets[1])), kAllAsExpected;
  need(arguments, 1, "one folder of recordings, or one table that --output wrote");
  if (std::filesystem::is_regular_file(arguments.targets[0])) return verify_observed(arguments);
  return verify(units, arguments.targets[0]);
}

}  // namespace assay
