// A contract as text: its cells as formulas, and where it admits several outputs.
#pragma once

#include <string>
#include <vector>

#include "reference/flow/contract.h"
#include "reference/flow/row.h"

namespace assay {

/// One line per cell: "scale = 2^ceil(log2(max(amax / 448, 1e-10)))".
std::vector<std::string> formulas(const Contract& contract);

/// Why a correct kernel may have several possible codes, for one row of inputs.
std::string justification(const Contract& contract, const RowInputs& row, const Format& x);

/// The formulas of the stages while they are being written.
struct FormulaLines {
  std::vector<std::string> lines;
  std::string value = "x";  ///< name of the result of the previous stages

  /// Adds "scale = ...", with the name padded to the width of the others.
  void add(const std::string& name, const std::string& text);
};
void append_formulas(const RowNorm& link, FormulaLines& to);
void append_formulas(const Gated& link, FormulaLines& to);
void append_formulas(const Rope& link, FormulaLines& to);
void append_formulas(const GroupQuant& link, FormulaLines& to);

/// The steps of cells that allow several results, such as "rsqrt~2".
std::string free_steps(std::initializer_list<const Recipe*> cells);
std::string freedom(const RowNorm& link, const RowInputs& row, const Format& x);
std::string freedom(const Gated& link, const RowInputs& row, const Format& x);
std::string freedom(const Rope& link, const RowInputs& row, const Format& x);
std::string freedom(const GroupQuant& link, const RowInputs& row, const Format& x);

}  // namespace assay
