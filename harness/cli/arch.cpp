// assay arch: the tensor core models, and their comparison with recorded results of real GPUs.
#include <fmt/format.h>

#include <filesystem>

#include "harness/cli/arch_backend.h"
#include "harness/cli/arch_observed.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/text/error.h"
#include "reference/units/unit_recordings.h"
#include "reference/units/unit_separate.h"
#include "reference/units/unit_table.h"

namespace assay {
namespace {

std::string contracts_file(const char* name) { return data_root() + "/reference/contracts/" + name; }

UnitTable open_units(const ArchArguments& arguments) {
  UnitTable units = UnitTable::load_folder(data_root() + "/reference/contracts");
  for (const std::string& file : arguments.units) units.add(file);
  for (const std::string& file : arguments.suites.tables.contracts)
    if (holds_units(file)) units.add(file);
  return units;
}

/// What is known of an instruction without a single model.
std::string nothing_known(const UnitTable& units, const UnitRow& row) {
  const size_t candidates = units.candidates_of(row).size();
  return candidates == 0 ? "nothing is predicted" : fmt::format("no single prediction; {} candidate models", candidates);
}

void list(const UnitTable& units) {
  size_t width = 0;
  for (const UnitRow& row : units.rows()) width = std::max(width, row.id.size());
  for (const UnitRow& row : units.rows()) {
    std::string steps;
    for (const std::string& column : unit_step_columns())
      if (column != "special" && !row.text(column).empty()) steps += (steps.empty() ? "" : " | ") + row.text(column);
    fmt::print("{:<{}}  {:<17}  {}\n", row.id, width, row.text("evidence"), row.unit.known() ? steps : nothing_known(units, row));
  }
}

void show(const UnitTable& units, const UnitRow& row) {
  fmt::print("{}   {}:{}\n", row.id, std::filesystem::proximate(row.file, data_root()).string(), row.line);
  for (const std::string& line : unit_lines(row.unit)) fmt::print("  {}\n", line);
  for (const char* column :
       {"a", "b", "d", "k", "order", "exponent", "sum", "c", "round", "scale", "special", "evidence", "source", "why"})
    if (!row.text(column).empty()) fmt::print("  {:<8} {}\n", column, row.text(column));
  for (const UnitRow* candidate : units.candidates_of(row)) {
    fmt::print("  may add as {}   {}:{}\n", candidate->id, std::filesystem::proximate(candidate->file, data_root()).string(),
               candidate->line);
    for (const char* column : {"k", "order", "exponent", "sum", "c", "round", "source", "why"})
      fmt::print("    {:<8} {}\n", column, candidate->text(column));
  }
}

/// Compares every data set whose instruction is known. A difference gives exit code 1; no known data set gives "nothing ran".
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
    if (!covered) fmt::print("{:<18} skipped: unit_recordings.csv does not say which instruction made it\n", set.name());
  }
  if (vectors == 0) throw UsageError(folder + ": no data set belongs to a known instruction");
  fmt::print("{} of {} vectors\n", matches, vectors);
  return matches == vectors ? kAllAsExpected : kUnexpected;
}

/// A value with its code, "0x1.8p-3 (24)".
std::string number(const Format& f, uint32_t code) {
  const double x = decode(f, code);
  return fmt::format("{:a} ({:0{}x})", x, code, (f.bits + 3) / 4);
}

void print_witness(const UnitRow& a, const UnitRow& b, const UnitSeparation& found) {
  const UnitWitness& w = *found.witness;
  fmt::print("the smallest input found, k from 0 to {}, zero where nothing is listed:\n", found.k - 1);
  for (size_t i = 0; i < w.a.size(); ++i)
    if (w.a[i] != 0 || w.b[i] != 0) fmt::print("  k {:<3} {} * {}\n", i, number(*a.unit.a, w.a[i]), number(*a.unit.b, w.b[i]));
  for (size_t i = 0; i < w.a_scales.size(); ++i)
    fmt::print("  scales of block {}: {} * {}\n", i, number(*a.unit.scale, w.a_scales[i]), number(*a.unit.scale, w.b_scales[i]));
  fmt::print("  c     {}\n", number(*a.unit.d, w.c));
  fmt::print("  {} returns {}\n  {} returns {}\n", a.id, number(*a.unit.d, w.first), b.id, number(*a.unit.d, w.second));
}

void diff(const UnitRow& a, const UnitRow& b) {
  bool same = true;
  for (const std::string& column : unit_step_columns()) {
    if (a.text(column) == b.text(column)) continue;
    same = false;
    fmt::print("{:<8} {:<40} {}\n", column, a.text(column).empty() ? "-" : a.text(column),
               b.text(column).empty() ? "-" : b.text(column));
  }
  if (a.unit.k != b.unit.k) fmt::print("{:<8} {:<40} {}\n", "k", a.unit.k, b.unit.k);
  if (same) fmt::print("the steps are the same\n");
  if (!a.unit.known() || !b.unit.known()) throw UsageError("nothing is predicted for " + (a.unit.known() ? b.id : a.id));
  if (*a.unit.a != *b.unit.a || *a.unit.b != *b.unit.b || *a.unit.d != *b.unit.d || a.text("scale") != b.text("scale"))
    throw UsageError(fmt::format("no input has a result under both: {} * {} -> {} and {} * {} -> {}", a.text("a"), a.text("b"),
                                 a.text("d"), b.text("a"), b.text("b"), b.text("d")));
  const UnitSeparation found = separate_units(a.unit, b.unit);
  for (const UnitDifference& d : found.data) fmt::print("{:>8} of {:<7} elements differ: {}\n", d.differ, d.elements, d.data);
  if (found.witness)
    print_witness(a, b, found);
  else
    fmt::print("no input was found on which they differ, {} products per element\n", found.k);
}

void need(const ArchArguments& arguments, size_t count, const char* what) {
  if (arguments.targets.size() != count) throw UsageError(fmt::format("arch {} takes {}", arguments.action, what));
}

}  // namespace

int arch_verb(const ArchArguments& arguments) {
  if (!arguments.output.empty() && arguments.backend.empty()) throw UsageError("--output needs arch verify --backend");
  if (!arguments.backend.empty()) {
    if (arguments.action != "verify") throw UsageError("--backend needs arch verify");
    need(arguments, 0, "no folder with --backend");
    return verify_backend(arguments);
  }
  const UnitTable units = open_units(arguments);
  if (arguments.action == "list") return need(arguments, 0, "no more arguments"), list(units), kAllAsExpected;
  if (arguments.action == "show")
    return need(arguments, 1, "one unit id"), show(units, units.find(arguments.targets[0])), kAllAsExpected;
  if (arguments.action == "diff")
    return need(arguments, 2, "two unit ids"), diff(units.find(arguments.targets[0]), units.find(arguments.targets[1])),
           kAllAsExpected;
  need(arguments, 1, "one folder of recordings, or one table that --output wrote");
  if (std::filesystem::is_regular_file(arguments.targets[0])) return verify_observed(arguments);
  return verify(units, arguments.targets[0]);
}

}  // namespace assay
