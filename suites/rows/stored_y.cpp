#include "suites/rows/stored_y.h"

#include "reference/flow/gated/gated.h"
#include "reference/flow/row_norm/row_norm.h"
#include "suites/rows/cells.h"

namespace assay {
namespace {

/// The cell whose last number y is; null: the row makes none.
const std::string* cell_of_y(const ContractRow& row) {
  if (row.flow == &row_norm_flow()) return &row.text("y");
  if (row.flow == &gated_flow()) return &row.text("h");
  return nullptr;
}

}  // namespace

void require_stored_y(const Case& c) {
  const Cells cells(c);
  const ContractRow& row = cells.contract();
  const std::string& x = cells.text("x");
  const std::string* y = cell_of_y(row);
  if (!y || x.empty() || x == "f32") return;  // empty: the contract alone is asked for
  const std::string last = y->substr(y->rfind(' ') + 1);  // the whole of one step: npos + 1 is 0
  const bool stored = last == "to(x)" || last == "to(" + x + ")" || last.starts_with("to(" + x + ",");
  if (!stored)
    cells.refuse("contract", "'" + row.id + "' leaves no " + x + " for y: it is of another input, or of no op alone");
}

}  // namespace assay
