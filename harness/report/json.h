// The JSON report: everything that a verdict contains.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/report/fields.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// Raise it when a field changes its meaning or is removed, not for new fields.
inline constexpr int kJsonVersion = 1;

/// One object: version, library, provenance, ending, counts, verdicts. Keys have a fixed order. Provenance and each verdict are
/// on lines of their own, so that two reports can be compared with diff. Codes are strings of hex digits; numbers that JSON lacks
/// are "nan", "inf" and "-inf".
std::string json_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

/// All keys as paths: "verdicts[].tensors[].outside".
std::vector<ReportField> json_fields();

}  // namespace assay
