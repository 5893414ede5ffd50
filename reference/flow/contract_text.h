// A contract as text: its cells as formulas, and where its outputs have freedom.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/contract.h"
#include "reference/flow/row.h"

namespace assay {

/// One line a cell: "scale = 2^ceil(log2(max(amax / 448, 1e-10)))".
std::vector<std::string> formulas(const Contract& contract);

/// By which right outputs have more than one code, judged by one row.
std::string justification(const Contract& contract, const RowInputs& row, const Format& x);

/// The formulas of links while they are written.
struct FormulaLines {
  std::vector<std::string> lines;
  std::string value = "x";  ///< what the links before call the numbers that they made

  /// "scale = " with the name as wide as the others.
  void add(const std::string& name, const std::string& text);
};
void append_formulas(const RowNorm& link, FormulaLines& to);
void append_formulas(const Gated& link, FormulaLines& to);
void append_formulas(const Rope& link, FormulaLines& to);
void append_formulas(const GroupQuant& link, FormulaLines& to);

/// "rsqrt~2": steps of cells that leave their result free.
std::string free_steps(std::initializer_list<const Recipe*> cells);
std::string freedom(const RowNorm& link, const RowInputs& row, const Format& x);
std::string freedom(const Gated& link, const RowInputs& row, const Format& x);
std::string freedom(const Rope& link, const RowInputs& row, const Format& x);
std::string freedom(const GroupQuant& link, const RowInputs& row, const Format& x);

}  // namespace assay
