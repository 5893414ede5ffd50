// Rows whose cells name other rows: the two halves of a launch, or the norm after an all-reduce.
#pragma once

#include <stdexcept>

#include "reference/contracts/rows.h"

namespace assay {

/// The row whose id is in that cell. Throws TableError about the cell if there is none.
inline const ContractRow& named_row(const ContractTables& tables, const ContractRow& row, const char* column) {
  try {
    return tables.find(row.text(column));
  } catch (const std::out_of_range& error) {
    throw row.error(column, 0, error.what());
  }
}

}  // namespace assay
