// A row for each tensor of each verdict.
#pragma once

#include <string>
#include <vector>

#include "harness/report/fields.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// RFC 4180 with a header. A verdict without compared tensors has one row with empty tensor columns. The last columns begin
/// with "run_": `run_id` is in every row, the provenance in the first row alone. Rows of several reports can stand in one table,
/// where the first value of a column among the rows of one run_id is that run's; who compares two runs leaves these columns and
/// "seconds" out.
std::string csv_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

/// Its columns, without those that begin with "run_".
std::vector<ReportField> csv_columns();

}  // namespace assay
