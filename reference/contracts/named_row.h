// Rows whose cells name other rows: what one launch does, what follows a sum over ranks.
#pragma once

#include <stdexcept>

#include "reference/contracts/rows.h"

namespace assay {

/// The row whose id stands in that cell. Throws TableError about the cell if there is none.
inline const ContractRow& named_row(const ContractTables& tables, const ContractRow& row, const char* column) {
  try {
    return tables.find(row.text(column));
  } catch (const std::out_of_range& error) {
    throw row.error(column, 0, error.what());
  }
}

}  // namespace assay
