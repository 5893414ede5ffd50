// Provenance that reports record about the run behind them.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/verbs.h"
#include "harness/core/call.h"
#include "harness/core/shard.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// For `assay run`, at its start. add_library() adds the library's name and digest once it is open.
Provenance provenance_of(const RunArguments& arguments, const Shard& shard);

/// For `assay judge`. The library was called by an earlier run, so its file is not known here.
Provenance provenance_of(const JudgeArguments& arguments);

/// For `assay gate`; as for `assay judge`.
Provenance provenance_of(const GateArguments& arguments);

/// Adds the kernel library's file and its digest.
void add_library(Provenance& provenance, const LibraryInfo& library);

/// The current date, YYYY-MM-DD in UTC.
std::string today();

/// Adds the evidence for the contracts that have a verdict in the result.
void add_evidence(Provenance& provenance, const RunResult& result);

}  // namespace assay
