// The records in golden/power, for the cases, sources and tables of this program.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/golden/power_records.h"
#include "harness/run/run.h"

namespace assay {

/// A digest of all that decides what is accepted and which mistakes a data set shows: the sources that this program was built
/// from, and the tables of contracts and equivalences that it reads. A case's own cells are its key; what its row declares, a
/// record says.
std::string made_of();

std::set<std::string> ops_of(const std::vector<Case>& cases);

/// What is recorded of the ops of these cases. Nothing if there are contracts of the user's own, which may replace shipped ones.
/// Throws std::runtime_error if a file of the records is damaged.
PowerRecords recorded_power(const std::vector<Case>& cases);

/// For the report: of how many judged data sets power was recorded.
std::string power_sources(const std::vector<Case>& cases, const RunResult& result, const PowerRecords& records);

}  // namespace assay
