// The CSV report: one row per tensor of each verdict.
#pragma once

#include <string>
#include <vector>

#include "harness/report/fields.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// RFC 4180 with a header. A verdict without compared tensors has one row with empty tensor columns. The last columns begin with
/// "run_": `run_id` is in every row, the other provenance only in the first. Reports can be concatenated; the first nonempty
/// value of a column among the rows of a run_id belongs to that run. To compare two runs, leave out these columns and "seconds".
std::string csv_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

/// All columns except those that begin with "run_".
std::vector<ReportField> csv_columns();

}  // namespace assay
