// What the reports of a verb say about the run that made them.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/verbs.h"
#include "harness/core/call.h"
#include "harness/core/shard.h"
#include "harness/report/provenance.h"
#include "harness/run/run.h"

namespace assay {

/// Of `assay run`, which begins now. The library is added by name and bytes once it is open: see add_library().
Provenance provenance_of(const RunArguments& arguments, const Shard& shard);

/// Of `assay judge`: whatever library was called was called by another run, so its file is not here.
Provenance provenance_of(const JudgeArguments& arguments);

/// Of `assay gate`, likewise.
Provenance provenance_of(const GateArguments& arguments);

/// The file that is judged, by its bytes.
void add_library(Provenance& provenance, const LibraryInfo& library);

/// Of what is written down now, YYYY-MM-DD in UTC.
std::string today();

/// How the contracts are known that have a verdict here.
void add_evidence(Provenance& provenance, const RunResult& result);

}  // namespace assay
