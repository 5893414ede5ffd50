#include "harness/cli/arch_observed.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/core/blocks.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/text/printable.h"
#include "reference/table/table.h"
#include "suites/rulebook.h"

namespace assay {
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
  if (!calls.row->unit.known()) throw table.error(row, "unit", "of unit " + calls.row->id + " nothing is predicted");
  for (const UnitFills& fills : fills_of(calls.row->unit))
    if (fills.words == table.text(row, "data")) calls.fills = &fills;
  if (!calls.fills) throw table.error(row, "data", "'" + table.text(row, "data") + "' is not a kind of data of this instruction");
  constexpr int64_t kLargestTile = 1 << 10, kMostElements = 1 << 28;
  const auto within = [&](const char* column, int64_t most) {
    const int64_t value = table.integer(row, column);
    if (value < 1 || value > most) throw table.error(row, column, fmt::format("{} is not from 1 to {}", value, most));
    return value;
  };
  calls.m = within("m", kLargestTile), calls.n = within("n", kLargestTile);
  calls.seed = uint64_t(within("seed", std::numeric_limits<int64_t>::max()));
  calls.elements = within("elements", kMostElements);
  if (calls.elements % (calls.m * calls.n) != 0)
    throw table.error(row, "elements", fmt::format("{} elements are not a multiple of a tile of {} x {}", calls.elements, calls.m, calls.n));
  for (size_t i = 0; i < kUnitChains.size(); ++i) one.digests[i] = digest(table, row, chain_column(kUnitChains[i]));
  return one;
}

}  // namespace

void write_observed_units(const std::string& path, const LibraryInfo& seen_on, std::vector<ObservedUnit> observed) {
  std::stable_sort(observed.begin(), observed.end(), [](const auto& x, const auto& y) { return x.calls.row->id < y.calls.row->id; });
  std::string text;
  for (const std::string& column : columns()) text += (text.empty() ? "" : ",") + column;
  const std::string chip = fmt::format("{},{},{},{}", csv_cell(seen_on.device.empty() ? seen_on.arch : seen_on.device),
                                       csv_cell(seen_on.driver), csv_cell(seen_on.toolkit), today());
  for (const ObservedUnit& one : observed) {
    const MmaCase c = one.calls.chain(1);
    text += fmt::format("\n{},{},{},{},{},{}", csv_cell(c.row->id), csv_cell(one.calls.fills->words), c.m, c.n, c.seed, c.tiles * c.m * c.n);
    for (uint64_t digest : one.digests) text += fmt::format(",{:016x}", digest);
    text += "," + chip;
  }
  write_atomically(path, text + "\n");
  fmt::print("wrote {}: {} units on their data\n", path, observed.size());
}

int verify_observed(const ArchArguments& arguments) {
  open_contracts(arguments.suites);
  const Table table = read_table(arguments.targets[0]);
  table.require_columns(columns());
  table.allow_columns(columns());
  std::vector<ObservedUnit> observed;
  for (const TableRow& row : table.rows)
    if (glob_match(arguments.unit, table.text(row, "unit"))) observed.push_back(read_row(table, row));
  if (observed.empty()) throw UsageError("NOTHING RAN: " + arguments.targets[0] + " has no such unit");
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
      fmt::print("{} {}, chains of {}: {:016x} was observed, {:016x} is predicted\n", calls.row->id, calls.fills->words, kUnitChains[chain],
                 observed[line].digests[chain], predicted[line][chain]);
    }
  fmt::print("{} of {} observed elements are as predicted, by their digests\n", agree, elements);
  return agree == elements ? kAllAsExpected : kUnexpected;
}

}  // namespace assay
