// A row for each tensor of each verdict.
#pragma once

#include <string>

#include "harness/core/run.h"
#include "harness/report/provenance.h"

namespace assay {

/// RFC 4180 with a header. A verdict without compared tensors has one row with empty tensor columns. The last columns, those that
/// begin with "run_", hold the provenance in every row: rows of several reports can stand in one table, and who compares two runs
/// leaves these columns and "seconds" out.
std::string csv_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

}  // namespace assay
