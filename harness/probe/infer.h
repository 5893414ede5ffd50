// Inference of the units.csv row that describes an instruction, from the instruction's results, and a report of what was found.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/probe/fit.h"
#include "reference/units/unit_table.h"

namespace assay {

// Results of an instruction that a model does not explain.

/// Unexplained results for one kind of input.
struct Unexplained {
  std::string kind, shows;
  int64_t elements = 0, wrong = 0;
  std::string example;  ///< text of an unexplained element with few nonzero products
};

/// The unexplained results by kind of input; kinds without any are left out.
std::vector<Unexplained> unexplained_by(const Unit& unit, const Instruction& instruction, const Seen& seen);

/// Values of a parameter that seem equivalent to the fitted value: a search (separate.h) found no input that distinguishes them.
struct NotObservable {
  std::string cell, what;  ///< "align(25) truncate .. align(28) truncate"
};

struct Probed {
  std::shared_ptr<const Instruction> instruction;
  Unit unit;                         ///< the best model; it explains everything if `unexplained` is empty
  std::vector<std::string> remarks;  ///< properties of the instruction that no row of units.csv can express
  std::vector<Unexplained> unexplained;
  std::vector<NotObservable> not_observable;  ///< empty unless the model explains everything
  int64_t elements = 0;                       ///< elements compared
  int64_t checked = 0;                        ///< of these, elements from random inputs made after the model was found

  bool known() const { return unexplained.empty() && remarks.empty(); }  ///< whether `unit` explains all results
};

struct ProbeEffort {
  int64_t elements = 1024;  ///< number of result elements per kind of input before the model is found
  int64_t checked = 2048;   ///< number of result elements per kind of input for the final check of the model
  uint64_t seed = 1;
};

/// Calls the instruction until a single model is left, then checks it on random inputs of every kind. If two models that differ
/// in one parameter explain all results, calls the instruction with an input for which they predict different results. If a
/// search finds no such input, they count as equal. Throws ProbeError if the kernel fails.
Probed probe_unit(const Instruction& instruction, const Ask& ask, const ProbeEffort& effort = {});

// Comparison of a fitted model with the rows of units.csv.

enum class CellMatch {
  kSame,
  kEqual,  ///< the text differs, but a search found no input that distinguishes the values
  kDiffers
};

struct LikeRow {
  const UnitRow* row = nullptr;
  std::map<std::string, CellMatch> cells;  ///< result for each column of unit_step_columns()
  bool equal = false;                      ///< all cells are equal, or a search found no input that distinguishes model and row
  std::vector<std::string> same_cells;     ///< ids of other rows with the same cells

  int alike() const;  ///< number of cells that are equal or that no found input distinguishes
};

/// Compares a model with a row that has the same operands, result and scales. Throws std::invalid_argument for other operands, or
/// for a row without a model.
LikeRow compare_with(const Unit& unit, const UnitRow& row);

/// The row with the most matching cells among those with the same operands, result, scales and k; `row` is nullptr if there is
/// none.
LikeRow nearest_row(const Unit& unit, const UnitTable& table);

/// A table row for the model, checked by reading it back with the table's loader.
UnitRow row_of(const Unit& unit, const std::string& id, const std::string& evidence, const std::string& source,
               const std::string& why);

// Text of a probe's result.

/// One line per cell of the model, with the cells of the row that the kernel claims to implement (`claimed`; nullptr if that row
/// has no model) and of the nearest row. Parameters that are not observable and unexplained results follow.
std::vector<std::string> probed_lines(const Probed& probed, const LikeRow* claimed, const LikeRow& nearest);

}  // namespace assay
