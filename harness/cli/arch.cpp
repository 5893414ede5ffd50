// assay arch: the matrix units, and recordings of real ones held against them.
#include <fmt/format.h>

#include <filesystem>

#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/core/error.h"
#include "reference/units/formula.h"
#include "reference/units/recordings.h"
#include "reference/units/table.h"

namespace assay {
namespace {

std::string contracts_file(const char* name) { return data_root() + "/reference/contracts/" + name; }

UnitTable open_units(const ArchArguments& arguments) {
  UnitTable units = UnitTable::load(contracts_file("units.csv"));
  for (const std::string& file : arguments.units) units.add(file);
  return units;
}

void list(const UnitTable& units) {
  size_t width = 0;
  for (const UnitRow& row : units.rows()) width = std::max(width, row.id.size());
  for (const UnitRow& row : units.rows()) {
    std::string steps;
    for (const std::string& column : unit_step_columns())
      if (column != "special" && !row.text(column).empty()) steps += (steps.empty() ? "" : " | ") + row.text(column);
    fmt::print("{:<{}}  {:<17}  {}\n", row.id, width, row.text("evidence"), row.unit.known() ? steps : "nothing is predicted");
  }
}

void show(const UnitRow& row) {
  fmt::print("{}   {}:{}\n", row.id, std::filesystem::proximate(row.file, data_root()).string(), row.line);
  for (const std::string& line : unit_lines(row.unit)) fmt::print("  {}\n", line);
  for (const char* column : {"a", "b", "d", "k", "order", "exponent", "sum", "c", "round", "scale", "special", "evidence", "source", "why"})
    if (!row.text(column).empty()) fmt::print("  {:<8} {}\n", column, row.text(column));
}

/// Every set that a unit covers; what differs is exit code 1, and if nothing is covered nothing ran.
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
                                       : fmt::format("   first at line {}: recorded {:08x}, predicted {:08x}", found.first_line,
                                                     found.recorded, found.predicted));
    }
    if (!covered) fmt::print("{:<18} skipped: no row of unit_recordings.csv says which unit made it\n", set.name());
  }
  if (vectors == 0) throw UsageError(folder + ": no set is of a unit that is known");
  fmt::print("{} of {} vectors\n", matches, vectors);
  return matches == vectors ? kAllAsExpected : kUnexpected;
}

void need(const ArchArguments& arguments, size_t count, const char* what) {
  if (arguments.targets.size() != count) throw UsageError(fmt::format("arch {} takes {}", arguments.action, what));
}

}  // namespace

int arch_verb(const ArchArguments& arguments) {
  const UnitTable units = open_units(arguments);
  if (arguments.action == "list") return need(arguments, 0, "no more arguments"), list(units), kAllAsExpected;
  if (arguments.action == "show") return need(arguments, 1, "one unit id"), show(units.find(arguments.targets[0])), kAllAsExpected;
  need(arguments, 1, "one folder of recordings");
  return verify(units, arguments.targets[0]);
}

}  // namespace assay
