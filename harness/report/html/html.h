// The report that is looked at: one file, no script, nothing fetched, readable without colour.
#pragma once

#include <string>

#include "harness/core/call.h"
#include "harness/report/provenance.h"
#include "harness/report/trend.h"
#include "harness/run/run.h"

namespace assay {

/// Well-formed as XML too, which is how tests read it.
/// `earlier` is a run that it is compared with, or null.
std::string html_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                      const EarlierRun* earlier = nullptr);

}  // namespace assay
