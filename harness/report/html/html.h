// The HTML report: one file, no script, no network access, readable without colour.
#pragma once

#include <string>

#include "harness/core/call.h"
#include "harness/report/provenance.h"
#include "harness/report/trend.h"
#include "harness/run/run.h"

namespace assay {

/// The result is also well-formed XML, so that tests can parse it. `earlier`: a run to compare with, or null.
std::string html_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                      const EarlierRun* earlier = nullptr);

}  // namespace assay
