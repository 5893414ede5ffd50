// The report for programs: everything that a verdict holds.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/report/fields.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// Raised when a field changes its meaning or goes; new fields come without.
inline constexpr int kJsonVersion = 1;

/// One object: version, library, provenance, ending, counts, verdicts. Keys have a fixed order, and each verdict stands on a line
/// of its own, as provenance does, so that two reports can be diffed. Codes are strings of hex digits, numbers that JSON lacks
/// are "nan", "inf" and "-inf".
std::string json_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance);

/// Its keys as paths: "verdicts[].tensors[].outside".
std::vector<ReportField> json_fields();

}  // namespace assay
